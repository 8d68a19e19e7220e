// The keyboard on every page: "/" goes to the search box, and a form that opens takes the focus.
// An element of this script with data-into names the container whose first field is to be in focus.
(() => {
  const FIELDS = "input:not([type=hidden]):not([disabled]), textarea:not([disabled]), button[role=radio], button:not([disabled])";
  const shown = (element) => element.getClientRects().length > 0;
  const first = (where, what) => [...where.querySelectorAll(what)].find(shown);

  // The form may take a moment to appear, its fields not in their order, and what was clicked may take the focus with
  // it when it goes: so for a second the first field is given the focus again, until the reader clicks, presses a key
  // or is in another field.
  function goInto(name) {
    const goneOn = new AbortController();
    const before = document.activeElement;
    let given = null;
    let patience = 300;
    const leave = (event) => (event.type === "focusin" && event.target === given) || goneOn.abort();
    for (const kind of ["pointerdown", "keydown", "focusin"]) {
      document.addEventListener(kind, leave, { capture: true, signal: goneOn.signal });
    }
    function give() {
      if (goneOn.signal.aborted) return;
      const container = document.getElementsByClassName(name)[0];
      const field = container && first(container, FIELDS);
      const active = document.activeElement;
      const isOurs = [before, given, document.body].includes(active) || !active?.isConnected;
      if (field && !isOurs) return goneOn.abort();
      if (field && field !== active) (given = field).focus();
      if (field) patience = Math.min(patience, 60);
      if (patience--) requestAnimationFrame(give);
      else goneOn.abort();
    }
    give();
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
  const own = document.currentScript;
  const into = own?.dataset.into;
  own?.remove(); // it has run: nothing that runs stands in the page
  const isInIt = document.getElementsByClassName(into ?? "")[0]?.contains(document.activeElement); // it ran before
  if (into && !isInIt) goInto(into);
})();
