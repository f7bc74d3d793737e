// <bedside-passkey data-mode="sign-in|register|confirm">: shows its button where the browser knows passkeys.
// sign-in: signs in and goes on. register: adds a passkey to the account. confirm: puts the answer into the form and
// sends it. What went wrong is said in the element's own words (data-failed), which the server wrote.

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

async function ask(path: string, body?: unknown): Promise<Response> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  if (!answer.ok) throw new Error(String(answer.status));
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
  }

  private async go(): Promise<void> {
    const button = this.querySelector("button");
    const wrong = this.querySelector<HTMLElement>("[role=alert]");
    if (button) button.disabled = true;
    if (wrong) wrong.hidden = true;
    try {
      if (this.dataset.mode === "register") await this.register();
      else if (this.dataset.mode === "confirm") await this.confirm();
      else await this.signIn();
    } catch {
      if (wrong) {
        wrong.textContent = this.dataset.failed ?? "";
        wrong.hidden = false;
      }
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

  private async confirm(): Promise<void> {
    const form = this.closest("form");
    const field = this.querySelector<HTMLInputElement>("input[name=passkey]");
    if (!form || !field) return;
    const person = form.querySelector<HTMLInputElement | HTMLSelectElement>("[name=person]")?.value;
    const options = (await (await ask("/confirm/options", { person })).json()) as Options;
    field.value = await get(options);
    form.requestSubmit();
  }
}

customElements.define("bedside-passkey", Passkey);
