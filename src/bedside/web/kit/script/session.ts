// Watches the session's idle limit: what the person does here extends it, at most once a minute; what the page does by
// itself does not. A minute before the end a dialog says so; after it the page leaves, so that nothing stays on screen.

const dialog = document.querySelector<HTMLDialogElement>("[data-session]");
const shown = dialog?.querySelector<HTMLElement>("[data-left]");
const MINUTE = 60_000;

let active = false;
let extended = Date.now();
let ends = Infinity;
let warn = MINUTE;

interface State {
  signed_in: boolean;
  ends_in: number;
  warn_at: number;
  fixed: boolean;
}

function leave(): void {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function look(): Promise<void> {
  try {
    const state = (await (await fetch("/session", { headers: { accept: "application/json" } })).json()) as State;
    if (!state.signed_in) return leave();
    ends = state.fixed ? Infinity : Date.now() + state.ends_in * 1000;
    warn = state.warn_at * 1000;
  } catch {
    // The network is away: the limit last heard of stands.
  }
}

async function extend(): Promise<void> {
  active = false;
  extended = Date.now();
  const answer = await fetch("/session/extend", { method: "POST" }).catch(() => null);
  if (answer?.status === 401) return leave();
  await look();
}

async function tick(): Promise<void> {
  if (!dialog || ends === Infinity) return;
  if (active && !dialog.open && Date.now() - extended > MINUTE) return extend();
  if (ends - Date.now() > warn) {
    if (dialog.open) dialog.close();
    return;
  }
  // Another tab may have extended it.
  if (!dialog.open) await look();
  const left = ends - Date.now();
  if (left > warn) return;
  if (left <= 0) return leave();
  if (shown) shown.textContent = String(Math.ceil(left / 1000));
  if (!dialog.open) dialog.showModal();
}

if (dialog) {
  for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"])
    addEventListener(kind, () => (active = true), { passive: true });
  dialog.querySelector("[data-stay]")?.addEventListener("click", () => {
    dialog.close();
    void extend();
  });
  dialog.addEventListener("cancel", () => void extend());
  void look();
  setInterval(() => void tick(), 1000);
  addEventListener("visibilitychange", () => void look());
}
