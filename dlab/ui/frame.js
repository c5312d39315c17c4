// What every page does in the browser by itself. It runs at every rerun: once is enough.
if (!window.dlab) {
  window.dlab = {};

  // Streamlit changes its own colours with the system's and does not run the page again, whose charts have them too.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    setTimeout(() => document.querySelector(".st-key-ground button")?.click(), 200));

  // A page that opens writes its address anew: it drops a word that is used up, or a page and its settings come one after
  // the other. That is no step of the visitor, and Back must not lead to it.
  let acted = 0, came = performance.now(), used = -1;
  for (const kind of ["pointerdown", "keydown", "input"])
    addEventListener(kind, () => { acted = performance.now(); }, { capture: true, passive: true });
  // A page that is quick writes its address before this script is there: Back goes on past the one that the visitor came by.
  const given = performance.getEntriesByType("navigation")[0]?.name, written = given !== location.href;
  addEventListener("popstate", () => {
    came = performance.now();
    acted = 0;
    if (!location.search || (written && location.href === given)) history.back();
  }, { capture: true });
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const to = new URL(url ?? location.href, location.href);
    const same = to.pathname.replace(/\/$/, "") === location.pathname.replace(/\/$/, "");
    if (same && (to.href === location.href || acted <= came)) return history.replaceState(state, title, url);
    // A move: until the visitor does something else, what follows on this page belongs to it, and so does what the page before was
    // told by the same key or click.
    const told = !same && used === acted && acted > came;
    if (same) used = acted;
    else { came = performance.now(); acted = Math.min(acted, came); }
    if (told) history.replaceState(state, title, url);
    else push(state, title, url);
  };

  // On a phone the controls are a sheet that this button opens from below; the style sheet hides it elsewhere.
  const sheet = document.createElement("button");
  sheet.id = "dlab-sheet";
  const open = on => {
    document.documentElement.classList.toggle("dlab-sheet-open", on);
    sheet.textContent = on ? "Done" : "Settings";
    sheet.setAttribute("aria-expanded", on);
  };
  sheet.onclick = () => open(!document.documentElement.classList.contains("dlab-sheet-open"));
  addEventListener("keydown", event => { if (event.key === "Escape") open(false); });
  open(false);
  document.body.append(sheet);

  // On a phone the tabs are wider than the screen: the one that is open comes into view, each time that they are drawn anew.
  let shown = [];
  setInterval(() => {
    const tab = document.querySelector("[class*='st-key-here-tab']"), row = tab?.closest(".st-key-tabs"), name = tab?.innerText.trim();
    if (!row || !name || (shown[0] === row && shown[1] === name)) return;
    shown = [row, name];
    const [mine, all] = [tab, row].map(e => e.getBoundingClientRect());
    if (mine.left < all.left || mine.right > all.right) row.scrollLeft += mine.left - all.left - (all.width - mine.width) / 2;
  }, 400);
}
