// Copies the link. Browsers lend their clipboard to HTTPS alone; on a lab's plain address the selection does it.
export default function ({ parentElement, data }) {
  const [input, button, said] = ["input", "button", "span"].map(name => parentElement.querySelector(name));
  if (input.value !== data.link) said.textContent = "";
  input.value = data.link;
  button.onclick = async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(data.link);
    } catch {
      input.focus();
      input.select();
      done = document.execCommand("copy");
    }
    said.textContent = done ? "Copied." : "The link is selected; press Ctrl-C to copy it.";
  };
}
