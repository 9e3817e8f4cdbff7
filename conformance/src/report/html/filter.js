"use strict";
// Shows the cases that fit the form, and hides what is left empty by that.
(() => {
  const form = document.getElementById("filter");
  const cases = Array.from(document.querySelectorAll("details.case"), (element) => ({
    element,
    verdict: element.dataset.verdict,
    rfc: element.closest(".chapter").id,
    text: `${element.id} ${element.dataset.ids} ${element.querySelector("p").textContent}`
      .replace(/[_-]/g, " ").toLowerCase(),
  }));
  const apply = () => {
    const words = form.elements.text.value.replace(/[_-]/g, " ").replaceAll("/", " ").toLowerCase().split(/\s+/);
    const verdicts = new Set(new FormData(form).getAll("verdict"));
    const rfc = form.elements.rfc.value;
    let shown = 0;
    for (const one of cases) {
      const fits = verdicts.has(one.verdict) && (rfc === "" || rfc === one.rfc) &&
        words.every((word) => one.text.includes(word));
      one.element.hidden = !fits;
      shown += fits;
    }
    for (const group of document.querySelectorAll(".section, .chapter")) {
      group.hidden = !group.querySelector("details.case:not([hidden])");
    }
    form.querySelector("output").textContent = `${shown} of ${cases.length} cases`;
  };
  const fold = (open) => () => cases.forEach((one) => {
    if (!one.element.hidden) one.element.open = open;
  });
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      if (target.hidden) {
        form.reset();
        apply();
      }
      target.scrollIntoView();
    }
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.unfold.addEventListener("click", fold(true));
  form.elements.fold.addEventListener("click", fold(false));
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
  apply();
  reveal();
})();
