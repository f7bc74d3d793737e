// <bedside-passkey data-mode="sign-in|register|invited|confirm">: shows its button where the browser knows passkeys.
// sign-in: signs in and goes on. register: adds a passkey to the account. invited: makes the first
// passkey, by the one-time link that this page is at, and goes on. confirm: puts the answer into the form and
// sends it, or, where the form has several buttons, says that one may now be pressed (data-shown). What went wrong is
// said in the element's own words (data-failed, data-none), which the server wrote. data-busy stands while a passkey is
// asked for or waits to be sent: whoever redraws the page leaves the form alone. The event "refused" begins anew.

type Options = Record<string, unknown> & { challenge: string };
type Described = { id: string; type: "public-key"; transports?: AuthenticatorTransport[] };

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const text = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const described = (list: unknown): PublicKeyCredentialDescriptor[] =>
  ((list as Described[] | undefined) ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

class Refused extends Error {
  constructor(readonly status: number) {
    super(String(status));
  }
}

async function ask(path: string, body?: unknown): Promise<Response> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  if (!answer.ok) throw new Refused(answer.status);
  return answer;
}

async function get(options: Options): Promise<string> {
  const found = (await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: described(options.allowCredentials),
    } as PublicKeyCredentialRequestOptions,
  })) as PublicKeyCredential | null;
  if (!found) throw new Error("none");
  const said = found.response as AuthenticatorAssertionResponse;
  return JSON.stringify({
    id: found.id,
    rawId: text(found.rawId),
    type: found.type,
    response: {
      clientDataJSON: text(said.clientDataJSON),
      authenticatorData: text(said.authenticatorData),
      signature: text(said.signature),
      userHandle: said.userHandle ? text(said.userHandle) : null,
    },
    clientExtensionResults: {},
  });
}

async function create(options: Options): Promise<string> {
  const user = options.user as { id: string; name: string; displayName: string };
  const made = (await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...user, id: bytes(user.id) },
      excludeCredentials: described(options.excludeCredentials),
    } as unknown as PublicKeyCredentialCreationOptions,
  })) as PublicKeyCredential | null;
  if (!made) throw new Error("none");
  const said = made.response as AuthenticatorAttestationResponse;
  return JSON.stringify({
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(said.clientDataJSON),
      attestationObject: text(said.attestationObject),
      transports: said.getTransports?.() ?? [],
    },
    clientExtensionResults: {},
  });
}

class Passkey extends HTMLElement {
  connectedCallback(): void {
    if (!("PublicKeyCredential" in globalThis)) return;
    this.hidden = false;
    this.querySelector("button")?.addEventListener("click", () => void this.go());
    this.addEventListener("refused", () => this.show(""));
  }

  private async go(): Promise<void> {
    const button = this.querySelector("button");
    const wrong = this.querySelector<HTMLElement>("[role=alert]");
    // What the form still needs is asked before the passkey, which is good once.
    if (this.dataset.mode === "confirm" && this.closest("form")?.reportValidity() === false) return;
    this.dataset.busy = "yes";
    if (button) button.disabled = true;
    if (wrong) wrong.hidden = true;
    try {
      if (this.dataset.mode === "register") await this.register();
      else if (this.dataset.mode === "invited") await this.begin();
      else if (this.dataset.mode === "confirm") await this.confirm();
      else await this.signIn();
    } catch (error) {
      const none = error instanceof Refused && error.status === 404 ? this.dataset.none : undefined;
      if (wrong) {
        wrong.textContent = none ?? this.dataset.failed ?? "";
        wrong.hidden = false;
      }
      delete this.dataset.busy;
    } finally {
      if (button) button.disabled = false;
    }
  }

  private async signIn(): Promise<void> {
    const options = (await (await ask("/sign-in/passkey/options")).json()) as Options;
    const answer = await get(options);
    const { next } = (await (await ask("/sign-in/passkey", { answer, next: this.dataset.next })).json()) as { next: string };
    location.assign(next);
  }

  private async register(): Promise<void> {
    const options = (await (await ask("/account/passkey/options")).json()) as Options;
    const answer = await create(options);
    const label = this.querySelector<HTMLInputElement>("input")?.value ?? "";
    await ask("/account/passkey", { answer, label });
    location.reload();
  }

  private async begin(): Promise<void> {
    const here = location.pathname.replace(/\/$/, "");
    const answer = await create((await (await ask(`${here}/passkey/options`)).json()) as Options);
    const label = this.querySelector<HTMLInputElement>("input")?.value ?? "";
    const { next } = (await (await ask(`${here}/passkey`, { answer, label })).json()) as { next: string };
    location.assign(next);
  }

  private async confirm(): Promise<void> {
    const form = this.closest("form");
    if (!form) return;
    const named = form.querySelector<HTMLSelectElement>("[name=person]");
    const options = (await (await ask("/confirm/options", { person: named?.value })).json()) as Options;
    this.show(await get(options));
    named?.addEventListener("change", () => this.show(""), { once: true });
    const sending = [...form.elements].filter((one) => one instanceof HTMLButtonElement && one.type === "submit");
    if (sending.length === 1) form.requestSubmit(sending[0] as HTMLButtonElement);
    else (sending[0] as HTMLButtonElement | undefined)?.focus();
  }

  /** The passkey's answer waits in the form to be sent; "" takes it out again. */
  private show(answer: string): void {
    const field = this.querySelector<HTMLInputElement>("input[name=passkey]");
    if (field) field.value = answer;
    const line = this.querySelector<HTMLElement>("[role=status]");
    if (line) {
      line.textContent = answer ? (this.dataset.shown ?? "") : "";
      line.hidden = !answer;
    }
    if (answer) this.dataset.busy = "yes";
    else delete this.dataset.busy;
  }
}

customElements.define("bedside-passkey", Passkey);
