// The keyboard on every page: "/" goes to the search box, Enter opens what a row of a table is about, and a form that
// opens takes the focus. An element of this script with data-into names the container whose first field is to be in
// focus; one with data-columns the columns of a table that are read out whole where one points at a row; one with
// data-narrow the switch to turn on where the window is narrow.
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

  // A table is painted; what it says, and which cell has the focus, is in a table of HTML within its canvas. A row is as
  // high as any other. The canvas hears clicks of the pointer alone, so Enter on the first cell is told as one.
  const GRID = "canvas[data-testid=data-grid-canvas]";
  const TICKS = 32; // pixels of the column of boxes, which the table of HTML counts and does not name
  const height = (canvas) => canvas.getBoundingClientRect().height / canvas.querySelector("table").ariaRowCount;

  function open(event) {
    const cell = event.target;
    const canvas = cell.closest?.(GRID);
    if (event.key !== "Enter" || !canvas || cell.role !== "gridcell" || cell.ariaColIndex !== "1") return;
    event.preventDefault();
    event.stopPropagation();
    const [place] = cell.id.match(/\d+/); // counted with the boxes
    const box = canvas.getBoundingClientRect();
    const where = {
      clientX: box.left + TICKS * place + 24,
      clientY: box.top + height(canvas) * (cell.parentElement.ariaRowIndex - 0.5),
      bubbles: true,
      cancelable: true,
      pointerType: "mouse",
      isPrimary: true,
    };
    for (const kind of ["pointermove", "mousemove", "pointerdown", "mousedown", "pointerup", "mouseup", "click"]) {
      canvas.dispatchEvent(new (kind.startsWith("pointer") ? PointerEvent : MouseEvent)(kind, where));
    }
  }

  function readOut(event) {
    const table = event.target.closest?.("[data-testid=stDataFrame]");
    const canvas = table?.querySelector(GRID);
    if (!window.columnsReadOut || !canvas?.querySelector("table")) return;
    const row = Math.floor((event.clientY - canvas.getBoundingClientRect().top) / height(canvas));
    const headings = [...canvas.querySelectorAll("th")].map((each) => each.innerText);
    const cells = canvas.querySelectorAll(`tbody tr[aria-rowindex="${row + 1}"] td`);
    const words = window.columnsReadOut.map((name) => cells[headings.indexOf(name)]?.innerText);
    const said = words.filter(Boolean).map((each) => each.replace(/ {2,}/g, ", ")); // a list's commas are blanks there
    if (table.title !== said.join("\n")) table.title = said.join("\n");
  }

  function turnOn(name) {
    let patience = 300;
    function look() {
      const box = document.querySelector(`.${name} input`);
      if (box && !box.checked) box.click();
      else if (!box && patience--) requestAnimationFrame(look);
    }
    if (window.innerWidth < 640) look();
  }

  if (!window.keyboardIsHeard) {
    window.keyboardIsHeard = true;
    document.addEventListener("keydown", search);
    document.addEventListener("keydown", open, true);
    document.addEventListener("mousemove", readOut);
  }
  const own = document.currentScript;
  if (own?.dataset.columns) window.columnsReadOut = JSON.parse(own.dataset.columns);
  if (own?.dataset.narrow) turnOn(own.dataset.narrow);
  const into = own?.dataset.into;
  own?.remove(); // it has run: nothing that runs stands in the page
  const isInIt = document.getElementsByClassName(into ?? "")[0]?.contains(document.activeElement); // it ran before
  if (into && !isInIt) goInto(into);
})();
