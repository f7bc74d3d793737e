// <right-browser>: a browser without a camera (a viewer inside another app) is told how to open the right one.
import { absent } from "./absent";

class RightBrowser extends HTMLElement {
  connectedCallback(): void {
    if (absent()) this.hidden = false;
    this.querySelector("[data-copy]")?.addEventListener("click", () => void this.copy());
  }

  private async copy(): Promise<void> {
    const box = this.querySelector<HTMLInputElement>("[data-link]");
    if (!box) return;
    let done = false;
    try {
      await navigator.clipboard.writeText(box.value);
      done = true;
    } catch {
      // Viewers inside apps often have no clipboard either; the old command works in most of them.
      box.select();
      done = document.execCommand("copy");
    }
    const line = this.querySelector("[data-says]");
    if (line) line.textContent = this.dataset[done ? "copied" : "notCopied"] ?? "";
  }
}

customElements.define("right-browser", RightBrowser);
