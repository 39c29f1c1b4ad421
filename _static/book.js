// What scrolls within itself can be reached, and so scrolled, by keyboard: wide tables and equations.
(() => {
  const mark = () => {
    for (const part of document.querySelectorAll("article :is(div.math, mjx-container[display], .output)")) {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
      else part.removeAttribute("tabindex");
    }
  };
  window.addEventListener("load", () => {
    mark();
    window.MathJax?.startup?.promise.then(mark);
  });
  window.addEventListener("resize", mark);
})();
