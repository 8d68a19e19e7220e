// The keyboard on every page: "/" goes to the search box, and a form that opens takes the focus.
// An element of this script with data-into names the container whose first field is to be in focus.
(() => {
  const FIELDS = "input:not([type=hidden]):not([disabled]), textarea:not([disabled]), button[role=radio], button:not([disabled])";
  const shown = (element) => element.getClientRects().length > 0;
  const first = (where, what) => [...where.querySelectorAll(what)].find(shown);

  function goInto(name, patience = 300) {
    const container = document.getElementsByClassName(name)[0];
    const field = container && first(container, FIELDS);
    if (field) field.focus();
    else if (patience) requestAnimationFrame(() => goInto(name, patience - 1));
  }

  function isTyping(element) {
    return element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
  }

  function search(event) {
    if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    const box = first(document, "input[type=search]");
    const way = box ?? first(document, ".st-key-client-find-another button");
    if (!way) return;
    event.preventDefault();
    if (box) box.focus();
    else way.click();
  }

  if (!window.keyboardIsHeard) {
    window.keyboardIsHeard = true;
    document.addEventListener("keydown", search);
  }
  const into = document.currentScript?.dataset.into;
  if (into) goInto(into);
})();
