// What every page gets: "/" to the patient search and arrows into what it found, dialogs for browsers without commandfor, undo that times out,
// and a word when the network is away. Everything here is a help; nothing depends on it.

document.documentElement.classList.add("js");

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  const typing = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector<HTMLInputElement>("[data-patient-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }
  const search = document.querySelector<HTMLInputElement>("[data-patient-search]");
  const found = document.querySelector<HTMLElement>("[data-found]");
  if (!search || !found || !(target === search || found.contains(target))) return;
  if (event.key === "Escape") {
    found.replaceChildren();
    if (target === search) search.blur();
    else search.focus();
  }
  const links = [...found.querySelectorAll<HTMLElement>("li a")];
  const at = links.indexOf(target);
  const next = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" && at >= 0 ? at - 1 : null;
  if (next === null || !links.length) return;
  event.preventDefault();
  (next < 0 ? search : links[Math.min(next, links.length - 1)])?.focus();
});

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[commandfor]");
  if (!button || "commandForElement" in HTMLButtonElement.prototype) return;
  const dialog = document.getElementById(button.getAttribute("commandfor") ?? "");
  if (!(dialog instanceof HTMLDialogElement)) return;
  if (button.getAttribute("command") === "show-modal") dialog.showModal();
  else dialog.close();
});

// An undo stands for as long as its data-seconds says, counting in its own words, and never longer.
function countDown(undo: HTMLElement): void {
  if (undo.dataset.counting) return;
  undo.dataset.counting = "yes";
  let left = Number(undo.dataset.seconds ?? 30);
  const shown = undo.querySelector("[data-left]");
  const timer = setInterval(() => {
    left -= 1;
    if (shown) shown.textContent = String(left);
    if (left <= 0 || !undo.isConnected) {
      clearInterval(timer);
      undo.remove();
    }
  }, 1000);
}

function lookForUndo(): void {
  for (const undo of document.querySelectorAll<HTMLElement>("[data-undo]")) countDown(undo);
}
new MutationObserver(lookForUndo).observe(document.body, { childList: true, subtree: true });
lookForUndo();

function sayNetwork(): void {
  const line = document.querySelector<HTMLElement>("[data-offline]");
  if (line) line.hidden = navigator.onLine;
  const unsent = document.querySelector<HTMLElement>("[data-unsent]");
  if (unsent && navigator.onLine) unsent.hidden = true;
}
addEventListener("online", sayNetwork);
addEventListener("offline", sayNetwork);
sayNetwork();

// A second press while the first is under way sends nothing: its answer would take the place of the first one's, which
// may be shown only once (links, codes, a device's card). A form whose answer never came can be sent again.
const SENDING = 10_000;
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (event.defaultPrevented || form.method !== "post") return;
  const unsent = document.querySelector<HTMLElement>("[data-unsent]");
  if (!navigator.onLine && unsent && !form.dataset.reached) {
    // The browser's own page of "no internet" would take the place of what was typed. But a browser calls itself
    // offline also where the server is this very machine: whether it answers is asked.
    event.preventDefault();
    const send = (): void => {
      form.dataset.reached = "yes";
      form.requestSubmit(event.submitter);
      delete form.dataset.reached;
    };
    const stay = (): void => {
      unsent.hidden = false;
      sayNetwork();
      unsent.scrollIntoView({ block: "center" });
    };
    void fetch("/healthz", { cache: "no-store" }).then(send, stay);
    return;
  }
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, SENDING);
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) delete form.dataset.sent;
});

// The device knows in which time zone it is; without JavaScript that is typed.
for (const offer of document.querySelectorAll<HTMLButtonElement>("[data-zone-for]")) {
  const field = document.getElementById(offer.dataset.zoneFor ?? "") as HTMLInputElement | null;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!field || !zone || field.value === zone) continue;
  offer.append(` ${zone}`);
  offer.hidden = false;
  offer.addEventListener("click", () => (field.value = zone));
}

for (const button of document.querySelectorAll<HTMLElement>("[data-print]"))
  button.addEventListener("click", () => print());

// The large keypad types into the field it stands beside, or the one last touched; a phone's own keypad then stays away.
// Without JavaScript the phone's own serves.
for (const pad of document.querySelectorAll<HTMLElement>("[data-keypad]")) {
  const form = pad.closest("form");
  const fields = [...(form?.querySelectorAll<HTMLInputElement>("[data-number]") ?? [])];
  let field = (document.getElementById(pad.dataset.keypad ?? "") as HTMLInputElement | null) ?? fields[0];
  pad.hidden = false;
  if (matchMedia("(pointer: coarse)").matches) for (const one of fields) one.inputMode = "none";
  form?.addEventListener("focusin", (event) => {
    const target = event.target as HTMLInputElement;
    if (fields.includes(target)) field = target;
  });
  pad.addEventListener("click", (event) => {
    const key = (event.target as Element).closest<HTMLElement>("[data-key]")?.dataset.key;
    if (!key || !field) return;
    if (key === "next") fields[(fields.indexOf(field) + 1) % fields.length]?.focus();
    else {
      if (key === "back") field.value = field.value.slice(0, -1);
      else if (field.value.length < 6) field.value += key;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
}
