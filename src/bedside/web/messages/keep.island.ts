// A message is sent only while Bedside answers and its writer is signed in: a browser forgets what was typed when the
// page that should follow never comes. Without this the form is sent as any other.

const PATIENCE = 8000;

async function trouble(): Promise<string | null> {
  try {
    const answer = await fetch("/session", {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const state = (await answer.json()) as { signed_in: boolean };
    return state.signed_in ? null : "signed-out";
  } catch {
    return "away";
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-keep]")) {
  let asking = false;
  // Back from the next page with what was typed still here: it may be sent again, which is once all the same.
  addEventListener("pageshow", () => (asking = false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (asking) return;
    asking = true;
    for (const line of form.querySelectorAll<HTMLElement>("[data-says]")) line.hidden = true;
    void trouble().then((what) => {
      asking = what === null; // a second press while it is on its way does nothing
      if (what === null) return HTMLFormElement.prototype.submit.call(form);
      const line = form.querySelector<HTMLElement>(`[data-says="${what}"]`);
      if (line) line.hidden = false;
    });
  });
}
