// A Bluetooth device that is not there, behind the browser's own interface: the page under test calls navigator.bluetooth as
// it would any, and gets the bytes that the test gives. window.fake: what it does; window.tell(characteristic, hex): a packet.
(() => {
  const uuid = (number) => (typeof number === "number" ? number : parseInt(String(number).slice(4, 8), 16));
  const fail = (name) => Promise.reject(new DOMException(name, name));
  const known = new Map();
  window.fake = { name: "BP7250 3F2A", choose: null, connect: null, subscribe: null, has: null, battery: null, asked: [], written: [] };

  class Characteristic extends EventTarget {
    constructor(number) {
      super();
      this.number = number;
      this.value = undefined;
      this.listening = false;
    }
    startNotifications() {
      if (fake.subscribe) return fail(fake.subscribe);
      this.listening = true;
      return Promise.resolve(this);
    }
    readValue() {
      return Promise.resolve(new DataView(Uint8Array.of(fake.battery).buffer));
    }
    writeValueWithResponse(bytes) {
      fake.written.push([...bytes]);
      return Promise.resolve();
    }
  }

  class Device extends EventTarget {
    constructor() {
      super();
      this.id = "fake-" + fake.name;
      this.name = fake.name;
      this.gatt = {
        connected: false,
        connect: () => (fake.connect ? fail(fake.connect) : ((this.gatt.connected = true), Promise.resolve(this.gatt))),
        disconnect: () => {
          if (this.gatt.connected) window.vanish();
        },
        getPrimaryService: (service) => uuid(service) === 0x180f && fake.battery === null ? fail("NotFoundError") : Promise.resolve({
          getCharacteristic: (number) => {
            if (fake.has && !fake.has.includes(uuid(number))) return fail("NotFoundError");
            if (!known.has(uuid(number))) known.set(uuid(number), new Characteristic(uuid(number)));
            return Promise.resolve(known.get(uuid(number)));
          },
        }),
      };
    }
  }

  let device;
  window.vanish = () => {
    device.gatt.connected = false;
    known.clear();
    device.dispatchEvent(new Event("gattserverdisconnected"));
  };
  window.tell = (number, hex) => {
    const characteristic = known.get(number);
    if (!characteristic?.listening) throw new Error("nobody listens");
    const bytes = hex.replaceAll(" ", "").match(/../g).map((pair) => parseInt(pair, 16));
    characteristic.value = new DataView(Uint8Array.from(bytes).buffer);
    characteristic.dispatchEvent(new Event("characteristicvaluechanged"));
  };
  window.listens = (number) => Boolean(known.get(number)?.listening);
  Object.defineProperty(Navigator.prototype, "bluetooth", {
    configurable: true,
    get: () => ({
      getAvailability: () => Promise.resolve(!fake.off),
      requestDevice: (options) => {
        fake.asked.push(options);
        if (fake.choose) return fail(fake.choose);
        device = new Device();
        return Promise.resolve(device);
      },
    }),
  });
})();
