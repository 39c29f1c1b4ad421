"""Wrong and right answers to the exercises, by chapter; what must be said to the wrong ones.

RIGHT: what a right answer may look like besides the solution, whole sources. WRONG: likely mistakes
in code. CHOICES: exercises that ask for a, b or c. NUMBERS and SHAPES: wrong ones under one key.
"""

from __future__ import annotations

import chapter1
import chapter2
import chapter3
import chapter4
import chapter5
import chapter6
import chapter7
import chapter8

CHAPTERS = (chapter1, chapter2, chapter3, chapter4, chapter5, chapter6, chapter7, chapter8)

RIGHT = {slug: sources for chapter in CHAPTERS for slug, sources in chapter.RIGHT.items()}
WRONG = {slug: slips for chapter in CHAPTERS for slug, slips in chapter.WRONG.items()}
CHOICES = [slug for chapter in CHAPTERS for slug in chapter.CHOICES]
NUMBERS = [number for chapter in CHAPTERS for number in chapter.NUMBERS]
SHAPES = [shape for chapter in CHAPTERS for shape in chapter.SHAPES]
