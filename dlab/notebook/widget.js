// Player and curve in a notebook's output: the packet comes in as bytes, the step size that the visitor rests on goes out.

// A notebook has a ground and an ink of its own, which each of its kinds names differently.
const GROUND = `
  :host { display: block; color-scheme: light dark;
    --st-text-color: var(--jp-content-font-color1, var(--vscode-editor-foreground, var(--colab-primary-text-color, CanvasText)));
    --st-background-color: var(--jp-layout-color0, var(--vscode-editor-background, var(--colab-primary-surface-color, Canvas)));
    --st-primary-color: var(--jp-brand-color1, var(--vscode-textLink-foreground, #00639c));
    --st-font: var(--jp-ui-font-family, var(--vscode-font-family, "Source Sans 3", "Helvetica Neue", Arial, sans-serif));
    font: 16px/1.4 var(--st-font); color: var(--st-text-color); }
  .curve { margin-top: 16px; }
  .curve figcaption { padding-top: 4px; }
`;

const LOOK = 500; // ms between two looks at the theme

function render({ model, el }) {
  // A root of its own: the player's names are short, and a notebook's style sheets are many. Its keys stay with it.
  const root = el.attachShadow({ mode: "open" }), style = document.createElement("style");
  const film = document.createElement("div"), curve = document.createElement("div");
  el.dataset.lmSuppressShortcuts = "true";
  style.textContent = GROUND + STYLE;
  film.innerHTML = BODY;
  curve.className = "curve";
  root.append(style, film, curve);
  let leave = null;
  const move = () => {
    const bytes = model.get("packet");
    film.hidden = !bytes?.byteLength;
    if (film.hidden) return;
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const setTriggerValue = (name, value) => {
      model.set(name, value);
      model.save_changes();
    };
    leave = mount({ parentElement: film, data, setTriggerValue });
  };
  const draw = () => { curve.innerHTML = model.get("curve"); };
  model.on("change:packet", move);
  model.on("change:curve", draw);
  draw();
  move();
  // The canvases take the colours of the theme when they are shown, and no event says that another theme's style sheet has come.
  const theme = () => getComputedStyle(el).getPropertyValue("--st-background-color");
  let before = theme();
  const themed = setInterval(() => {
    const now = theme();
    if (now !== before) move();
    before = now;
  }, LOOK);
  return () => {
    model.off("change:packet", move);
    model.off("change:curve", draw);
    clearInterval(themed);
    leave?.();
  };
}

export default { render };
