// Readings that were measured and not sent yet: kept in this browser, each bound to the patient it was measured for, sent in
// order and once each. The server knows a reading by patient, device and time, so that one sent twice is held once; the
// lock keeps two tabs from asking twice. Another patient who signs in on this phone neither sees nor sends it.
import type { Kind } from "./gatt";

/** As POST /readings/measured takes it. time: ms since 1970, fixed when it was measured. */
export interface Sent {
  patient: string;
  kind: Kind;
  name: string;
  id: string;
  time: number;
  values: { metric: string; value: number; unit: string }[];
  confirmed: boolean;
}

/** shown: the number in words, as the person saw it. state: unusual waits for a second look, refused for removal. */
export interface Entry {
  key: number;
  sent: Sent;
  shown: string;
  state: "waiting" | "unusual" | "refused";
}

/** What became of one: sent; kept until the network or the session is back; unusual or refused, and said so. */
export type Fate =
  | { is: "sent"; next: string; conflict: boolean }
  | { is: "waiting" | "signed_out" | "another" | "unusual" | "refused" | "forbidden" | "gone" };

const STORE = "readings";
export const CHANGED = "bedside-readings-changed";
let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((found, failed) => {
    const asked = indexedDB.open("bedside-readings", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "key", autoIncrement: true });
    asked.onsuccess = () => found(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  return opened;
}

/** Runs in one transaction; the promise ends when it is on the disk. */
async function within<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await database()).transaction(STORE, mode, { durability: "strict" });
  const asked = work(transaction.objectStore(STORE));
  return new Promise((done, failed) => {
    transaction.oncomplete = () => done(asked.result);
    transaction.onabort = transaction.onerror = () => failed(transaction.error);
  });
}

function changed(): void {
  dispatchEvent(new Event(CHANGED));
}

/** Keep it. Rejects where the browser keeps nothing. */
export async function add(sent: Sent, shown: string): Promise<number> {
  const key = (await within("readwrite", (store) => store.add({ sent, shown, state: "waiting" }))) as number;
  changed();
  return key;
}

/** What is kept of this patient, oldest first. */
export async function kept(patient: string): Promise<Entry[]> {
  const all = await within("readonly", (store) => store.getAll() as IDBRequest<Entry[]>);
  return all.filter((entry) => entry.sent.patient === patient);
}

export async function remove(key: number): Promise<void> {
  await within("readwrite", (store) => store.delete(key));
  changed();
}

/** The person looked again, and it is right. */
export async function confirm(key: number): Promise<void> {
  const entry = await one(key);
  if (entry) await put({ ...entry, sent: { ...entry.sent, confirmed: true }, state: "waiting" });
}

async function one(key: number): Promise<Entry | undefined> {
  return within("readonly", (store) => store.get(key) as IDBRequest<Entry | undefined>);
}

async function put(entry: Entry): Promise<void> {
  await within("readwrite", (store) => store.put(entry));
  changed();
}

/** Send one; it leaves the browser only once the server has said that it holds it. */
export function send(key: number): Promise<Fate> {
  return navigator.locks.request("bedside-readings", async (): Promise<Fate> => {
    const entry = await one(key);
    if (!entry) return { is: "gone" };
    if (entry.state !== "waiting") return { is: entry.state };
    let answer: Response;
    try {
      answer = await fetch("/readings/measured", {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(entry.sent),
      });
      if (answer.ok) {
        const { next, conflict } = (await answer.json()) as { next: string; conflict: boolean };
        await remove(key);
        return { is: "sent", next, conflict };
      }
    } catch {
      return { is: "waiting" };
    }
    if (answer.status === 401) return { is: "signed_out" };
    if (answer.status === 409 && (await about(answer)) === "patient") return { is: "another" };
    if (answer.status === 422) {
      await put({ ...entry, state: "unusual" });
      return { is: "unusual" };
    }
    if ([400, 403, 404, 409, 413].includes(answer.status)) {
      await put({ ...entry, state: "refused" });
      return { is: answer.status === 400 ? "refused" : "forbidden" };
    }
    return { is: "waiting" };
  });
}

/** Which field an error is about. */
async function about(answer: Response): Promise<string | undefined> {
  try {
    return ((await answer.json()) as { where?: string }).where;
  } catch {
    return undefined;
  }
}

/** Send what waits of this patient, in order; the first that cannot go now holds the rest. */
export async function drain(patient: string): Promise<Fate[]> {
  const fates: Fate[] = [];
  for (const entry of await kept(patient)) {
    if (entry.state !== "waiting") continue;
    const fate = await send(entry.key);
    fates.push(fate);
    if (fate.is === "waiting" || fate.is === "signed_out" || fate.is === "another") break;
  }
  return fates;
}

/** Send what waits of whoever has something kept here. The server takes it of whom it is signed in as; the others' stays. */
export async function everybodys(): Promise<Fate[]> {
  const all = await within("readonly", (store) => store.getAll() as IDBRequest<Entry[]>);
  const fates: Fate[] = [];
  for (const patient of new Set(all.map((entry) => entry.sent.patient))) fates.push(...(await drain(patient)));
  return fates;
}
