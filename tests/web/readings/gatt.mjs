// The decoder on bytes, by Node's own test runner (test_gatt.py runs it): Node reads the TypeScript as it is.
// Vectors: IEEE 11073 SFLOAT and FLOAT as in HL7/phd; layouts: Bluetooth SIG GATT Specification Supplement.
import assert from "node:assert/strict";
import test from "node:test";
import { ASK, PROFILES, battery, decode, float, instant, noRecords, sfloat } from "../../../src/bedside/web/readings/gatt.ts";

const bytes = (hex) => new DataView(Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16)).buffer);
const told = (characteristic, hex) => decode(characteristic, bytes(hex));
const numbers = (decoded) => Object.fromEntries(decoded.values.map((one) => [one.metric, [one.value, one.decimals, one.unit]]));
const WHEN = "ea07 0b 1d 0e 1e 05"; // 2026-11-29 14:30:05
const CLOCK = { year: 2026, month: 11, day: 29, hours: 14, minutes: 30, seconds: 5, offset: 0 };

const WHOLE = [
  // flags: time, pulse, user, status. 132/84, mean 100, pulse 71, user 1, irregular pulse
  [0x2a35, `1e 8400 5400 6400 ${WHEN} 4700 01 0400`],
  // 16-bit rate, contact, energy
  [0x2a37, "0f 4800 1000"],
  // offset, concentration, status
  [0x2a18, `0b 0100 ${WHEN} 3c00 6ab0 11 0100`],
  [0x2a1c, `06 4c0e00fe ${WHEN} 06`],
  [0x2a9d, `0e 1c37 ${WHEN} 02 f500 a006`],
  [0x2a5e, `0f 6100 4800 ${WHEN} 0001 000000 0af0`],
  [0x2a5f, "1f 6100 4800 6100 4800 6100 4800 2000 000000 0af0"],
];

test("SFLOAT and FLOAT: the published vectors, their decimals kept", () => {
  for (const [word, value, decimals] of [
    [0xf014, 2, 1], [0xe0c8, 2, 2], [0x1002, 20, 0], [0x00c8, 200, 0], [0x04d2, 1234, 0], [0x0b2e, -1234, 0], [0x87ff, 0.00002047, 8],
  ]) assert.deepEqual(sfloat(word), { value, decimals });
  for (const [word, value, decimals] of [[0xff00016e | 0, 36.6, 1], [0xfe000e4c | 0, 36.6, 2], [0x01000002, 20, 0], [0x00fffffb, -5, 0]])
    assert.deepEqual(float(word), { value, decimals });
});

test("no special word becomes a number, and every other word is the decimal it says", () => {
  const specials = new Map([[0x07ff, "nan"], [0x0800, "nan"], [0x0801, "nan"], [0x07fe, "high"], [0x0802, "low"]]);
  for (let word = 0; word <= 0xffff; word += 1) {
    const said = sfloat(word);
    if (specials.has(word)) assert.equal(said, specials.get(word));
    else {
      const mantissa = (word & 0xfff) - (word & 0x800 ? 0x1000 : 0);
      const exponent = (word >> 12) - (word & 0x8000 ? 16 : 0);
      assert.equal(said.value, Number(`${mantissa}e${exponent}`) + 0, word.toString(16));
    }
  }
  for (const word of [0x007fffff, 0x00800000, 0x00800001]) assert.equal(float(word), "nan");
  assert.equal(float(0x007ffffe), "high");
  assert.equal(float(0x00800002), "low");
});

test("blood pressure: mmHg with all that stands beside it", () => {
  const decoded = told(...WHOLE[0]);
  assert.deepEqual(numbers(decoded), {
    systolic: [132, 0, "mm[Hg]"], diastolic: [84, 0, "mm[Hg]"], "mean-pressure": [100, 0, "mm[Hg]"], "heart-rate": [71, 0, "/min"],
  });
  assert.deepEqual([decoded.clock, decoded.user, decoded.remarks, decoded.refused], [CLOCK, 1, ["irregular"], null]);
});

test("blood pressure: kPa is left as the device gave it", () => {
  assert.deepEqual(numbers(told(0x2a35, "01 aff0 70f0 ff07")), { systolic: [17.5, 1, "kPa"], diastolic: [11.2, 1, "kPa"] });
});

test("blood pressure: what the cuff says of arm, movement and pulse", () => {
  assert.deepEqual(told(0x2a35, "10 8400 5400 6400 2b00").remarks, ["moved", "cuff_loose", "bad_position", "pulse_high"]);
  assert.deepEqual(told(0x2a35, "10 8400 5400 6400 1000").remarks, ["pulse_low"]);
  assert.equal(told(0x2a35, "08 8400 5400 6400 ff").user, null);
});

test("blood pressure: a special value is no pressure; without mean or pulse the pressure stands", () => {
  for (const special of ["ff07", "0008", "0108", "fe07", "0208", "0000"]) {
    assert.equal(told(0x2a35, `00 ${special} 5400 6400`).refused, "no_value");
    assert.equal(told(0x2a35, `00 8400 ${special} 6400`).refused, "no_value");
    assert.deepEqual(Object.keys(numbers(told(0x2a35, `04 8400 5400 ${special} ${special}`))), ["systolic", "diastolic"]);
  }
});

test("heart rate: 8 and 16 bits; without skin contact there is none", () => {
  assert.deepEqual(numbers(told(0x2a37, "00 48")), { "heart-rate": [72, 0, "/min"] });
  assert.deepEqual(numbers(told(0x2a37, "01 2c01")), { "heart-rate": [300, 0, "/min"] });
  assert.deepEqual(numbers(told(0x2a37, "16 48 0004 1004")), { "heart-rate": [72, 0, "/min"] });
  assert.equal(told(0x2a37, "04 48").refused, "no_contact");
  assert.equal(told(0x2a37, "00 00").refused, "no_value");
  assert.equal(told(0x2a37, "10 48 0004 10").refused, "short");
});

test("glucose: kg/L is mg/dL, mol/L is mmol/L, digit for digit", () => {
  const decoded = told(...WHOLE[2]);
  assert.deepEqual(numbers(decoded), { glucose: [106, 0, "mg/dL"] });
  assert.deepEqual([decoded.clock, decoded.remarks], [{ ...CLOCK, offset: 60 }, ["battery"]]);
  assert.deepEqual(numbers(told(0x2a18, `06 0100 ${WHEN} 3bc0 11`)), { glucose: [5.9, 1, "mmol/L"] });
});

test("glucose: control solution, a broken strip and what is beyond the meter are never numbers", () => {
  assert.equal(told(0x2a18, `02 0100 ${WHEN} 6ab0 1a`).refused, "control");
  assert.equal(told(0x2a18, `02 0100 ${WHEN} 6ab0 41`).refused, "control");
  for (const bit of [1, 2, 3, 4, 7, 8, 9, 10]) {
    const status = (1 << bit).toString(16).padStart(4, "0");
    assert.equal(told(0x2a18, `0a 0100 ${WHEN} 6ab0 11 ${status.slice(2)}${status.slice(0, 2)}`).refused, "fault");
  }
  assert.equal(told(0x2a18, `0a 0100 ${WHEN} 6ab0 11 2000`).refused, "too_high");
  assert.equal(told(0x2a18, `0a 0100 ${WHEN} 6ab0 11 4000`).refused, "too_low");
  assert.equal(told(0x2a18, `02 0100 ${WHEN} fe07 11`).refused, "too_high");
  assert.equal(told(0x2a18, `02 0100 ${WHEN} 0208 11`).refused, "too_low");
  assert.equal(told(0x2a18, `00 0100 ${WHEN}`).refused, "no_value");
});

test("glucose: a time that cannot be said, or that the meter doubts, is not known", () => {
  for (const offset of ["ff7f", "0080"]) assert.equal(told(0x2a18, `03 0100 ${WHEN} ${offset} 6ab0 11`).clock, null);
  assert.equal(told(0x2a18, `0a 0100 ${WHEN} 6ab0 11 0008`).clock, null);
});

test("temperature: °C and °F as shown, 36.60 with both its decimals", () => {
  const decoded = told(...WHOLE[3]);
  assert.deepEqual([numbers(decoded), decoded.clock], [{ temperature: [36.6, 2, "Cel"] }, CLOCK]);
  assert.deepEqual(numbers(told(0x2a1c, "01 da0300ff")), { temperature: [98.6, 1, "[degF]"] });
  for (const special of ["ffff7f00", "00008000", "01008000", "feff7f00", "02008000"])
    assert.equal(told(0x2a1c, `00 ${special}`).refused, "no_value");
});

test("weight: steps of 5 g and of 0.01 lb; failed and empty are none", () => {
  const decoded = told(...WHOLE[4]);
  assert.deepEqual([numbers(decoded), decoded.user], [{ weight: [70.54, 3, "kg"] }, 2]);
  assert.deepEqual(numbers(told(0x2a9d, "01 b03c")), { weight: [155.36, 2, "[lb_av]"] });
  assert.equal(told(0x2a9d, "00 ffff").refused, "no_value");
  assert.equal(told(0x2a9d, "00 0000").refused, "no_value");
});

test("oximeter: demonstration, test, calibration, doubt and early estimates are never readings", () => {
  const whys = { 6: "early", 10: "demo", 11: "demo", 12: "calibrating", 13: "no_value", 14: "invalid", 15: "invalid" };
  for (let bit = 5; bit < 16; bit += 1) {
    const status = (1 << bit).toString(16).padStart(4, "0");
    const word = `${status.slice(2)}${status.slice(0, 2)}`;
    assert.equal(told(0x2a5e, `02 6100 4800 ${word}`).refused, whys[bit] ?? null, `bit ${bit}`);
    assert.equal(told(0x2a5f, `04 6100 4800 ${word}`).refused, whys[bit] ?? null, `bit ${bit}`);
  }
  assert.equal(told(0x2a5e, "04 6100 4800 000800").refused, "no_contact");
  assert.deepEqual(told(0x2a5e, "04 6100 4800 080000").remarks, ["weak_signal"]);
  assert.deepEqual(told(0x2a5e, "02 6100 4800 0002").remarks, ["stored"]);
});

test("oximeter: spot and continuous, and a clock that was never set", () => {
  const spot = told(...WHOLE[5]);
  assert.deepEqual([numbers(spot), spot.clock], [{ spo2: [97, 0, "%"], "heart-rate": [72, 0, "/min"] }, CLOCK]);
  assert.equal(told(0x2a5e, `11 6100 4800 ${WHEN}`).clock, null);
  assert.deepEqual(numbers(told(...WHOLE[6])), { spo2: [97, 0, "%"], "heart-rate": [72, 0, "/min"] });
  assert.deepEqual(numbers(told(0x2a5e, "00 6100 ff07")), { spo2: [97, 0, "%"] });
  assert.equal(told(0x2a5e, "00 ff07 4800").refused, "no_value");
});

test("a packet that ends too soon is refused whole, wherever it ends", () => {
  for (const [characteristic, hex] of WHOLE) {
    const whole = bytes(hex);
    assert.equal(decode(characteristic, whole).refused, null, hex);
    for (let length = 0; length < whole.byteLength; length += 1) {
      const decoded = decode(characteristic, new DataView(whole.buffer, 0, length));
      assert.deepEqual([decoded.refused, decoded.values], ["short", []], `${hex} cut to ${length}`);
    }
  }
});

test("a view into a larger buffer is read from its own start", () => {
  const inside = Uint8Array.from([9, 9, 0, 72, 9]);
  assert.deepEqual(numbers(decode(0x2a37, new DataView(inside.buffer, 2, 2))), { "heart-rate": [72, 0, "/min"] });
});

test("any bytes at all, and packets with some bytes wrong: a refusal or finite numbers above zero, never an exception", () => {
  const until = Date.now() + 1000 * Number(process.env.BEDSIDE_FUZZ_SECONDS ?? 0);
  let seed = process.env.BEDSIDE_FUZZ_SECONDS ? Date.now() >>> 0 : 20261129;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24;
  const characteristics = Object.values(PROFILES).flatMap((profile) => profile.characteristics);
  let kept = 0;
  let round = 0;
  for (; round < 40_000 || Date.now() < until; round += 1) {
    let characteristic = characteristics[round % characteristics.length];
    let packet = Uint8Array.from({ length: random() % 24 }, random);
    if (round % 3 === 0) {
      const [of, hex] = WHOLE[random() % WHOLE.length];
      characteristic = of;
      packet = Uint8Array.from(new Uint8Array(bytes(hex).buffer).subarray(0, 1 + random() % 24));
      packet[random() % packet.length] = random();
    }
    const decoded = decode(characteristic, new DataView(packet.buffer));
    assert.equal(decoded.values.length > 0, decoded.refused === null);
    for (const { value, decimals } of decoded.values) assert.ok(Number.isFinite(value) && value > 0 && decimals >= 0);
    if (decoded.clock) assert.ok(Number.isFinite(instant(decoded.clock)));
    kept += Number(decoded.refused === null);
  }
  console.log(`# ${round} packets, ${kept} of them readings`);
  assert.ok(kept > 1000, `${kept}`);
});

test("a clock is read in this browser's zone, and dates that are not known or not there are no dates", () => {
  assert.equal(process.env.TZ, "America/New_York");
  const { clock } = told(0x2a35, `02 8400 5400 6400 ${WHEN}`);
  assert.equal(new Date(instant(clock)).toISOString(), "2026-11-29T19:30:05.000Z");
  assert.equal(new Date(instant({ ...clock, offset: -90 })).toISOString(), "2026-11-29T18:00:05.000Z");
  for (const none of ["0000 0b 1d 0e 1e 05", "ea07 00 1d 0e 1e 05", "ea07 0b 00 0e 1e 05", "ea07 02 1e 0e 1e 05", "ea07 0d 01 0e 1e 05", "ea07 0b 1d 18 1e 05"])
    assert.equal(told(0x2a35, `02 8400 5400 6400 ${none}`).clock, null, none);
});

test("the battery: 0 to 100 per cent, and nothing else", () => {
  assert.deepEqual(["00", "0f", "64", "65", "ff", ""].map((hex) => battery(bytes(hex))), [0, 15, 100, null, null, null]);
});

test("the control point of a glucose meter", () => {
  assert.deepEqual([ASK.last, ASK.all], [[1, 6], [1, 1]]);
  assert.equal(noRecords(bytes("06 00 01 06")), true);
  assert.equal(noRecords(bytes("06 00 01 01")), false);
  assert.equal(noRecords(bytes("06 00")), false);
});
