// Asks the browser to wake the worker (sync.worker.ts) once the network is back.

/** Of the Background Synchronization specification; TypeScript's own library has it not. */
interface Syncing extends ServiceWorkerRegistration {
  sync?: { register(tag: string): Promise<void> };
}

const known = (): boolean => "serviceWorker" in navigator && "SyncManager" in globalThis;

/** Fetch the worker while there is a network: without one it could not be had. worker: the address of the built one. */
export async function prepare(worker: string): Promise<void> {
  if (!known()) return;
  try {
    await navigator.serviceWorker.register(worker, { type: "module" });
  } catch {
    // Forbidden by the browser's settings, or out of reach: the pages send.
  }
}

/** Ask to be woken. Returns whether what is kept will be sent with no page open. */
export async function wake(worker: string): Promise<boolean> {
  if (!known()) return false;
  try {
    const prepared: Syncing | undefined = await navigator.serviceWorker.getRegistration(worker);
    if (!prepared?.active || !prepared.sync) return false;
    await prepared.sync.register("readings");
    return true;
  } catch {
    return false;
  }
}
