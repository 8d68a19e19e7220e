// The keyboard on every page: "/" goes to the search box, and a form that opens takes the focus.
// An element of this script with data-into names the container whose first field is to be in focus.
(() => {
  const FIELDS = "input:not([type=hidden]):not([disabled]), textarea:not([disabled]), button[role=radio], button:not([disabled])";
  const shown = (element) => element.getClientRects().length > 0;
  const first = (where, what) => [...where.querySelectorAll(what)].find(shown);

  // The form may take a moment to appear, its fields not in their order, and what was clicked may take the focus with
  // it when it goes: for a second the first field is it, unless the reader has gone on from the one that was.
  function goInto(name, patience = 300, given = document.activeElement) {
    const container = document.getElementsByClassName(name)[0];
    const field = container && first(container, FIELDS);
    const isOurs = [given, document.body].includes(document.activeElement) || !document.activeElement?.isConnected;
    if (field && !isOurs) return;
    if (field && field !== document.activeElement) field.focus();
    const left = field ? Math.min(patience, 60) : patience;
    if (left) requestAnimationFrame(() => goInto(name, left - 1, field ? document.activeElement : given));
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
