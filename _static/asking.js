// Questions whose answers a page offers: shows the choices, and what the check says of each.
// The answers, and all words, come from resnet/check/asking.py.
(() => {
  const make = (parent, name, attributes = {}, text = "") => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    parent.append(made);
    return made;
  };

  const ask = (box, number) => {
    const { answers, words } = JSON.parse(box.querySelector("script").textContent);
    box.replaceChildren();
    const form = make(box, "form");
    const questions = Object.entries(answers).map(([key, offered], i) => {
      const id = `asking-${number}-${i}`;
      const group = make(form, "fieldset", { "aria-describedby": id });
      make(make(group, "legend"), "code", {}, key);
      for (const text of Object.keys(offered)) {
        const label = make(group, "label");
        make(label, "input", { type: "radio", name: id, value: text });
        label.append(` ${text}`);
      }
      const said = make(group, "p", { id, class: "said" });
      group.addEventListener("change", () => { said.textContent = ""; said.className = "said"; });
      return { id, offered, said };
    });
    make(form, "button", { type: "submit", class: "btn btn-primary" }, words.check);
    const result = make(form, "p", { role: "status" });
    form.addEventListener("submit", (event) => {
      event.preventDefault(); // nothing is sent anywhere
      const given = new FormData(form);
      let right = 0;
      for (const { id, offered, said } of questions) {
        const wrong = given.has(id) ? offered[given.get(id)] : words.open;
        right += wrong === "";
        said.className = `said ${wrong ? "wrong" : "right"}`;
        said.textContent = !wrong ? `✓ ${words.right}` : given.has(id) ? `✗ ${wrong}` : wrong;
      }
      result.textContent = right === questions.length ? words.whole : words.count.replace("{n}", right);
    });
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".asking").forEach(ask));
})();
