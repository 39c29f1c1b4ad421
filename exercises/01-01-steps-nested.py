"""Which classes contain which?

level: warm-up
minutes: 10
importance: useful
line: Find the rule by which one family of step functions contains another, and prove it.
"""

import resnet

# %% statement [markdown]
# $\mathcal{S}_k$ is the set of functions on $[0, 1)$ that are constant on each of
# the $k$ pieces $[0, 1/k)$, $[1/k, 2/k)$, …, $[(k-1)/k, 1)$. Write a function
# `contained(a, b)` that says for whole numbers $a, b \ge 1$ whether
# $\mathcal{S}_a \subseteq \mathcal{S}_b$, that is, whether every function in
# $\mathcal{S}_a$ is also one in $\mathcal{S}_b$. Then prove your rule: why does it hold in
# both directions?
#
# *Why it matters.* A larger class is sure to be as good as a smaller one only if it
# contains it. "Larger" and "contains" are different things, and this is the
# smallest example where one can see the difference exactly.


# %% starter
def contained(a, b):
    """Return True if every function in S_a is in S_b, otherwise False."""
    raise NotImplementedError("contained")


# %% check
resnet.check.steps_nested(contained)

# %% hint [markdown]
# At which points may a function in $\mathcal{S}_3$ jump? And one in
# $\mathcal{S}_6$, in $\mathcal{S}_4$, in $\mathcal{S}_9$?

# %% hint [markdown]
# For $a \ge 2$: $\mathcal{S}_a \subseteq \mathcal{S}_b$ if each of the points $1/a, 2/a, \dots, (a-1)/a$
# is one of $1/b, 2/b, \dots, (b-1)/b$. When is $1/a$ among them?


# %% solution
def contained(a, b):
    return b % a == 0


# %% explanation [markdown]
# $\mathcal{S}_a \subseteq \mathcal{S}_b$ exactly if $a$ divides $b$. Of $\mathcal{S}_3$,
# $\mathcal{S}_6$, $\mathcal{S}_9$ and $\mathcal{S}_{10}$, all but the last contain $\mathcal{S}_3$.
#
# *If $a$ divides $b$:* let $b = m a$. The piece $[i/a, (i+1)/a)$ is the union of the $m$ pieces
# $[(im + j)/b, (im + j + 1)/b)$ with $j = 0, \dots, m - 1$. A function that is constant on the large
# piece is constant on each of the small ones, so it is in $\mathcal{S}_b$.
#
# *If $a$ does not divide $b$:* then $a \ge 2$. Take the function that is 0 left of $1/a$ and 1 from
# there on. It is in $\mathcal{S}_a$. If it were in $\mathcal{S}_b$, its jump would have to
# lie at some $i/b$, so $1/a = i/b$, that is $b = i a$, and $a$ would divide $b$ after all.
#
# So $k = 1, 2, 4, 8, \dots$ is a nested chain, and so is $k = 1, 3, 6, 30$; but
# $k = 1, 2, 3, 4, \dots$ is none.
