// htmx 4, for pages that swap fragments. Its defaults, but: errors of ours come as whole pages, so they are not swapped
// into a corner, and nothing may be evaluated from an attribute (the content policy forbids it anyway).
import htmx from "htmx.org";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;
// Its types say number[], its code also takes patterns.
htmx.config.noSwap = [204, 304, "4xx", "5xx"] as unknown as number[];
htmx.config.defaultTimeout = 20_000;

document.addEventListener("htmx:response:error", () => {
  const line = document.querySelector<HTMLElement>("[data-failed]");
  if (line) line.hidden = false;
});
document.addEventListener("htmx:after:request", () => {
  const line = document.querySelector<HTMLElement>("[data-failed]");
  if (line) line.hidden = true;
});
