// A service worker for one thing: the browser wakes it when the network is back (Background Sync), with no page of the clinic
// open, and it sends what queue.ts keeps. It touches no page and keeps nothing else. Where the browser knows no Background
// Sync (Firefox, Safari) the pages send by themselves when one is open.
import { everybodys } from "./queue";

const TAG = "readings";

/** Of the Background Synchronization specification; TypeScript's own library has it not. */
interface SyncEvent extends Event {
  tag: string;
  waitUntil(work: Promise<unknown>): void;
}

addEventListener("sync", (event) => {
  const { tag, waitUntil } = event as SyncEvent;
  if (tag === TAG) waitUntil.call(event, drained());
});

/** Rejects while the network still fails, so that the browser wakes us again; who must sign in is told by a page. */
async function drained(): Promise<void> {
  const fates = await everybodys();
  if (fates.some((fate) => fate.is === "waiting")) throw new Error("the network is not back");
}
