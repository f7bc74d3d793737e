// What a Bluetooth device's bytes say: pure functions of one packet of a GATT characteristic (little-endian, fields in the
// order of the flags). Sources: Bluetooth SIG GATT Specification Supplement as in github.com/oesmith/gatt-xml; IEEE
// 11073-20601 SFLOAT and FLOAT. A packet that ends too soon is refused whole; what is no measurement never becomes a number.

export type Kind = "blood-pressure" | "heart-rate" | "pulse-oximeter" | "thermometer" | "scale" | "glucose-meter";

/** One number as the device gave it. unit: UCUM. decimals: how many the device showed; they are part of what it said. */
export interface Value {
  metric: string;
  value: number;
  decimals: number;
  unit: string;
}

/** The device's clock, which knows no time zone. month from 1. */
export interface Clock {
  year: number;
  month: number;
  day: number;
  hours: number;
  minutes: number;
  seconds: number;
  /** Minutes to add: glucose meters that were set to another time say so beside it. */
  offset: number;
}

/** Why a packet is no reading. */
export type Why =
  | "short" | "no_value" | "too_high" | "too_low" | "no_contact" | "early" | "demo" | "calibrating" | "invalid"
  | "control" | "fault";

/** What is to be said beside a reading. */
export type Remark =
  | "moved" | "cuff_loose" | "irregular" | "pulse_high" | "pulse_low" | "bad_position" | "battery" | "weak_signal" | "stored";

/** refused: no value is given then. clock: null where the device has none, or does not know the date. */
export interface Decoded {
  values: Value[];
  clock: Clock | null;
  remarks: Remark[];
  user: number | null;
  refused: Why | null;
}

class Refused extends Error {
  readonly why: Why;
  constructor(why: Why) {
    super(why);
    this.why = why;
  }
}

/** Reads a packet from its start; past its end it refuses. */
class Packet {
  private at = 0;
  private readonly view: DataView;
  constructor(view: DataView) {
    this.view = view;
  }

  private take(bytes: number): number {
    if (this.at + bytes > this.view.byteLength) throw new Refused("short");
    this.at += bytes;
    return this.at - bytes;
  }

  u8 = (): number => this.view.getUint8(this.take(1));
  u16 = (): number => this.view.getUint16(this.take(2), true);
  s16 = (): number => this.view.getInt16(this.take(2), true);
  u24 = (): number => this.u16() | (this.u8() << 16);
  u32 = (): number => this.view.getUint32(this.take(4), true);
  left = (): number => this.view.byteLength - this.at;

  clock(): Clock | null {
    const clock = { year: this.u16(), month: this.u8(), day: this.u8(), hours: this.u8(), minutes: this.u8(), seconds: this.u8(), offset: 0 };
    const { year, month, day, hours, minutes, seconds } = clock;
    // 0 is "not known"; a date that no calendar has is no date either.
    if (year < 1582 || month < 1 || day < 1 || hours > 23 || minutes > 59 || seconds > 59) return null;
    const date = new Date(Date.UTC(year, month - 1, day));
    return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? clock : null;
  }
}

interface Decimal {
  value: number;
  decimals: number;
}
type Special = "nan" | "high" | "low";

/** mantissa × 10^exponent, the nearest number to that decimal: 3660, -2 is 36.6 with two decimals. */
function decimal(mantissa: number, exponent: number): Decimal {
  const value = exponent < 0 ? mantissa / 10 ** -exponent : mantissa * 10 ** exponent;
  return { value, decimals: Math.max(0, -exponent) };
}

/** IEEE 11073 SFLOAT. shift: powers of ten between its unit and the one it is wanted in. */
export function sfloat(word: number, shift = 0): Decimal | Special {
  const special = ({ 0x07ff: "nan", 0x0800: "nan", 0x0801: "nan", 0x07fe: "high", 0x0802: "low" } as const)[word];
  return special ?? decimal((word << 20) >> 20, ((word << 16) >> 28) + shift);
}

/** IEEE 11073 FLOAT. */
export function float(word: number): Decimal | Special {
  const specials: Record<number, Special> = { 0x007fffff: "nan", 0x00800000: "nan", 0x00800001: "nan", 0x007ffffe: "high", 0x00800002: "low" };
  return specials[word] ?? decimal((word << 8) >> 8, word >> 24);
}

/** A number that must be there, and above zero: zero is how instruments say "none". */
function needed(metric: string, unit: string, said: Decimal | Special, limits = false): Value {
  if (limits && (said === "high" || said === "low")) throw new Refused(said === "high" ? "too_high" : "too_low");
  if (typeof said === "string" || said.value <= 0) throw new Refused("no_value");
  return { metric, unit, ...said };
}

/** A number that may be missing. */
function beside(metric: string, unit: string, said: Decimal | Special): Value[] {
  return typeof said === "string" || said.value <= 0 ? [] : [{ metric, unit, ...said }];
}

function remarks(status: number, names: Partial<Record<number, Remark>>): Remark[] {
  return Object.entries(names).flatMap(([bit, name]) => (status & (1 << Number(bit)) && name ? [name] : []));
}

type Reading = Partial<Omit<Decoded, "refused">> & { values: Value[] };

/** 0x2A35. The mean is what the cuff worked out; many leave it out. */
function pressure(packet: Packet): Reading {
  const flags = packet.u8();
  const unit = flags & 1 ? "kPa" : "mm[Hg]";
  const [systolic, diastolic, mean] = [packet.u16(), packet.u16(), packet.u16()];
  const clock = flags & 2 ? packet.clock() : null;
  const pulse = flags & 4 ? packet.u16() : 0x07ff;
  const user = flags & 8 ? packet.u8() : 255;
  const status = flags & 16 ? packet.u16() : 0;
  const range = (status >> 3) & 3;
  return {
    values: [
      needed("systolic", unit, sfloat(systolic)),
      needed("diastolic", unit, sfloat(diastolic)),
      ...beside("mean-pressure", unit, sfloat(mean)),
      ...beside("heart-rate", "/min", sfloat(pulse)),
    ],
    clock,
    user: user === 255 ? null : user,
    remarks: [
      ...remarks(status, { 0: "moved", 1: "cuff_loose", 2: "irregular", 5: "bad_position" }),
      ...(range === 1 ? (["pulse_high"] as const) : range === 2 ? (["pulse_low"] as const) : []),
    ],
  };
}

/** 0x2A37. The intervals between beats are checked for length and left: a browser's link drops some. */
function heartRate(packet: Packet): Reading {
  const flags = packet.u8();
  const rate = flags & 1 ? packet.u16() : packet.u8();
  if (flags & 8) packet.u16();
  if (flags & 16 && packet.left() % 2) throw new Refused("short");
  if ((flags >> 1 & 3) === 2) throw new Refused("no_contact");
  return { values: [needed("heart-rate", "/min", decimal(rate, 0))] };
}

const CONTROL_TYPE = 10;
const CONTROL_PLACE = 4;
const TOO_HIGH = 1 << 5;
const TOO_LOW = 1 << 6;
const TIME_FAULT = 1 << 11;
/** Annunciations after which the number is not to be trusted: sensor, sample, strip, temperature, interrupted, general. */
const FAULTS = 0b0111_1001_1110;

/** 0x2A18. kg/L and mol/L differ from what people read by powers of ten alone, so no digit changes. */
function glucose(packet: Packet): Reading {
  const flags = packet.u8();
  packet.u16();
  let clock = packet.clock();
  if (flags & 1) {
    const offset = packet.s16();
    // 0x7FFF and 0x8000: more than can be said, so the time is not known.
    clock = clock && offset !== 0x7fff && offset !== -0x8000 ? { ...clock, offset } : null;
  }
  const said = flags & 2 ? packet.u16() : 0x07ff;
  const sample = flags & 2 ? packet.u8() : 0;
  const status = flags & 8 ? packet.u16() : 0;
  if ((sample & 15) === CONTROL_TYPE || sample >> 4 === CONTROL_PLACE) throw new Refused("control");
  if (status & TOO_HIGH) throw new Refused("too_high");
  if (status & TOO_LOW) throw new Refused("too_low");
  if (status & FAULTS) throw new Refused("fault");
  const value = flags & 4 ? needed("glucose", "mmol/L", sfloat(said, 3), true) : needed("glucose", "mg/dL", sfloat(said, 5), true);
  return { values: [value], clock: status & TIME_FAULT ? null : clock, remarks: remarks(status, { 0: "battery" }) };
}

/** 0x2A1C. */
function temperature(packet: Packet): Reading {
  const flags = packet.u8();
  const said = packet.u32();
  const clock = flags & 2 ? packet.clock() : null;
  if (flags & 4) packet.u8();
  return { values: [needed("temperature", flags & 1 ? "[degF]" : "Cel", float(said | 0))], clock };
}

/** 0x2A9D, in steps of 5 g or 0.01 lb. */
function weight(packet: Packet): Reading {
  const flags = packet.u8();
  const steps = packet.u16();
  const clock = flags & 2 ? packet.clock() : null;
  const user = flags & 4 ? packet.u8() : 255;
  if (flags & 8) packet.u32();
  if (steps === 0xffff) throw new Refused("no_value");
  const said = flags & 1 ? decimal(steps, -2) : decimal(steps * 5, -3);
  return { values: [needed("weight", flags & 1 ? "[lb_av]" : "kg", said)], clock, user: user === 255 ? null : user };
}

/** Measurement status of an oximeter, bit by bit, worst first: what is not final is no reading. */
const NOT_FINAL: readonly (readonly [number, Why])[] = [
  [10, "demo"], [11, "demo"], [12, "calibrating"], [13, "no_value"], [15, "invalid"], [14, "invalid"], [6, "early"],
];
const OFF_THE_BODY = 1 << 11;
const WEAK = 0b0011_1111_1000;

function oximeter(oxygen: number, pulse: number, clock: Clock | null, status: number, device: number): Reading {
  for (const [bit, why] of NOT_FINAL) if (status & (1 << bit)) throw new Refused(why);
  if (device & OFF_THE_BODY) throw new Refused("no_contact");
  return {
    values: [needed("spo2", "%", sfloat(oxygen)), ...beside("heart-rate", "/min", sfloat(pulse))],
    clock,
    remarks: [...remarks(status, { 9: "stored" }), ...(device & WEAK ? (["weak_signal"] as const) : [])],
  };
}

/** 0x2A5E. */
function spotCheck(packet: Packet): Reading {
  const flags = packet.u8();
  const [oxygen, pulse] = [packet.u16(), packet.u16()];
  const clock = flags & 1 ? packet.clock() : null;
  const status = flags & 2 ? packet.u16() : 0;
  const device = flags & 4 ? packet.u24() : 0;
  if (flags & 8) packet.u16();
  return oximeter(oxygen, pulse, flags & 16 ? null : clock, status, device);
}

/** 0x2A5F: the normal values; the fast and slow averages beside them are left. */
function continuous(packet: Packet): Reading {
  const flags = packet.u8();
  const [oxygen, pulse] = [packet.u16(), packet.u16()];
  for (const bit of [1, 2]) if (flags & bit) packet.u32();
  const status = flags & 4 ? packet.u16() : 0;
  const device = flags & 8 ? packet.u24() : 0;
  if (flags & 16) packet.u16();
  return oximeter(oxygen, pulse, null, status, device);
}

const DECODERS: Record<number, (packet: Packet) => Reading> = {
  0x2a35: pressure, 0x2a37: heartRate, 0x2a18: glucose, 0x2a1c: temperature, 0x2a9d: weight, 0x2a5e: spotCheck, 0x2a5f: continuous,
};

/** One packet of a characteristic. It never throws for what a device sent. */
export function decode(characteristic: number, bytes: DataView): Decoded {
  const nothing = { values: [], clock: null, remarks: [], user: null };
  try {
    const read = DECODERS[characteristic];
    if (!read) throw new Refused("invalid");
    return { ...nothing, ...read(new Packet(bytes)), refused: null };
  } catch (error) {
    if (error instanceof Refused) return { ...nothing, refused: error.why };
    throw error;
  }
}

/** ms since 1970 of a device's clock, read as this browser's zone: a device knows none, and is set by the person here. */
export function instant(clock: Clock): number {
  const { year, month, day, hours, minutes, seconds, offset } = clock;
  return new Date(year, month - 1, day, hours, minutes + offset, seconds).getTime();
}

export interface Profile {
  service: number;
  /** Those that are there are listened to. */
  characteristics: readonly number[];
  /** A number that goes on changing until the person takes it. */
  streams: readonly number[];
}

export const PROFILES: Record<Kind, Profile> = {
  "blood-pressure": { service: 0x1810, characteristics: [0x2a35], streams: [] },
  "heart-rate": { service: 0x180d, characteristics: [0x2a37], streams: [0x2a37] },
  "pulse-oximeter": { service: 0x1822, characteristics: [0x2a5e, 0x2a5f], streams: [0x2a5f] },
  thermometer: { service: 0x1809, characteristics: [0x2a1c], streams: [] },
  scale: { service: 0x181d, characteristics: [0x2a9d], streams: [] },
  "glucose-meter": { service: 0x1808, characteristics: [0x2a18], streams: [] },
};

/** What any device may have beside its own service. */
export const BATTERY = { service: 0x180f, level: 0x2a19 } as const;

/** 0x2A19, per cent; null where it says none. */
export function battery(bytes: DataView): number | null {
  const level = bytes.byteLength ? bytes.getUint8(0) : 255;
  return level <= 100 ? level : null;
}

/** The record access control point of a glucose meter (0x2A52): it tells nothing until it is asked. */
export const RECORD_ACCESS = 0x2a52;
/** Opcode 1, report stored records; operator 6, the last one; operator 1, all. */
export const ASK = { last: [1, 6], all: [1, 1] } as const;

/** Whether the answer of the control point says that it holds no such record (response code 6 to opcode 1). */
export function noRecords(bytes: DataView): boolean {
  return bytes.byteLength >= 4 && bytes.getUint8(0) === 6 && bytes.getUint8(2) === 1 && bytes.getUint8(3) === 6;
}
