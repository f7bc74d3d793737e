// What is typed, kept in this browser until the server has it. localStorage is read before the page shows; but a browser
// writes it to the disk seconds later, so that one that is killed loses it. IndexedDB is on the disk within milliseconds.

export interface Draft {
  revision: number;
  text: string;
}

const STORE = "drafts";
let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((found, failed) => {
    const asked = indexedDB.open("bedside", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => found(asked.result);
    asked.onerror = () => failed(new Error(String(asked.error)));
  });
  return opened;
}

async function change(work: (store: IDBObjectStore) => void): Promise<void> {
  try {
    work((await database()).transaction(STORE, "readwrite", { durability: "strict" }).objectStore(STORE));
  } catch {
    // A browser that keeps nothing on the disk: localStorage and the server are left.
  }
}

/** Keep it. */
export function keep(key: string, draft: Draft): void {
  localStorage.setItem(key, JSON.stringify(draft));
  void change((store) => store.put(draft, key));
}

/** The server has it. */
export function forget(key: string): void {
  localStorage.removeItem(key);
  void change((store) => store.delete(key));
}

/** The newest that is kept, if any. */
export async function kept(key: string): Promise<Draft | undefined> {
  const said = localStorage.getItem(key);
  const quick = said ? (JSON.parse(said) as Draft) : undefined;
  try {
    const store = (await database()).transaction(STORE).objectStore(STORE);
    const lasting = await new Promise<Draft | undefined>((found, failed) => {
      const asked = store.get(key) as IDBRequest<Draft | undefined>;
      asked.onsuccess = () => found(asked.result);
      asked.onerror = () => failed(new Error(String(asked.error)));
    });
    return lasting && lasting.revision > (quick?.revision ?? 0) ? lasting : quick;
  } catch {
    return quick;
  }
}
