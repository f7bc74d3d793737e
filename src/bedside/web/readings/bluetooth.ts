// The link to a device by Web Bluetooth: choose, connect, listen. What goes wrong comes as a word of the page's list.
import { ASK, BATTERY, type Decoded, type Kind, PROFILES, RECORD_ACCESS, battery, decode, noRecords } from "./gatt";

export type Trouble =
  | "none_chosen" | "bluetooth_off" | "blocked" | "out_of_reach" | "pairing" | "not_this" | "gone" | "no_records";

export class NoLink extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

export interface Heard {
  /** One packet, and whether it belongs to a number that goes on changing. */
  packet: (decoded: Decoded, streams: boolean) => void;
  /** Per cent of its battery, where it tells. */
  battery: (level: number) => void;
  /** The device went away, or said that it has nothing. */
  ended: (trouble: Trouble) => void;
}

export function absent(): boolean {
  return !("bluetooth" in navigator);
}

/** The browser's own list of devices near by that have the service. Needs a press of the person. Throws NoLink. */
export async function choose(kind: Kind): Promise<BluetoothDevice> {
  if (!(await navigator.bluetooth.getAvailability())) throw new NoLink("bluetooth_off");
  try {
    return await navigator.bluetooth.requestDevice({ filters: [{ services: [PROFILES[kind].service] }], optionalServices: [BATTERY.service] });
  } catch (error) {
    // NotFoundError: the list was closed, or stayed empty.
    throw new NoLink(named(error) === "NotFoundError" ? "none_chosen" : "blocked");
  }
}

/** Connect and listen. Returns how to ask a meter for what it stores, and how to end. Throws NoLink. */
export async function listen(device: BluetoothDevice, kind: Kind, heard: Heard): Promise<Link> {
  if (!device.gatt) throw new NoLink("out_of_reach");
  const profile = PROFILES[kind];
  const link = new Link(device, heard);
  const server = await reach(() => device.gatt!.connect());
  const service = await reach(() => server.getPrimaryService(profile.service), "not_this");
  let found = 0;
  for (const number of profile.characteristics) {
    let characteristic: BluetoothRemoteGATTCharacteristic;
    try {
      characteristic = await service.getCharacteristic(number);
    } catch (error) {
      if (named(error) === "NotFoundError") continue;
      throw new NoLink("out_of_reach");
    }
    characteristic.addEventListener("characteristicvaluechanged", () => {
      if (characteristic.value) heard.packet(decode(number, characteristic.value), profile.streams.includes(number));
    });
    await reach(() => characteristic.startNotifications(), "not_this");
    found += 1;
  }
  if (!found) throw new NoLink("not_this");
  void charge(server, heard);
  if (kind === "glucose-meter") {
    const point = await reach(() => service.getCharacteristic(RECORD_ACCESS), "not_this");
    point.addEventListener("characteristicvaluechanged", () => {
      if (point.value && noRecords(point.value)) heard.ended("no_records");
    });
    await reach(() => point.startNotifications(), "not_this");
    link.point = point;
    await link.ask("last");
  }
  return link;
}

/** Beside the measurement, which does not wait for it: most devices have no such service. */
async function charge(server: BluetoothRemoteGATTServer, heard: Heard): Promise<void> {
  try {
    const service = await server.getPrimaryService(BATTERY.service);
    const level = battery(await (await service.getCharacteristic(BATTERY.level)).readValue());
    if (level !== null) heard.battery(level);
  } catch {
    // It does not say, or went before it could.
  }
}

export class Link {
  point: BluetoothRemoteGATTCharacteristic | undefined;
  private readonly device: BluetoothDevice;
  private readonly lost: () => void;

  constructor(device: BluetoothDevice, heard: Heard) {
    this.device = device;
    this.lost = () => heard.ended("gone");
    device.addEventListener("gattserverdisconnected", this.lost);
  }

  /** Ask a meter for its last result, or for all. */
  async ask(which: keyof typeof ASK): Promise<void> {
    const { point } = this;
    if (point) await reach(() => point.writeValueWithResponse(Uint8Array.from(ASK[which])));
  }

  end(): void {
    this.device.removeEventListener("gattserverdisconnected", this.lost);
    this.device.gatt?.disconnect();
  }
}

/** One step of the link. missing: what it means when the thing asked for is not there. */
async function reach<T>(step: () => Promise<T>, missing: Trouble = "out_of_reach"): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const name = named(error);
    // A device that wants to be paired answers so when it is first listened to or written to.
    if (name === "SecurityError" || name === "NotAllowedError" || name === "NotSupportedError") throw new NoLink("pairing");
    throw new NoLink(name === "NotFoundError" ? missing : "out_of_reach");
  }
}

function named(error: unknown): string {
  return error instanceof DOMException ? error.name : "";
}
