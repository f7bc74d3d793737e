// Opens the sealed page where it stands, in a file: AES-256-GCM under a key of PBKDF2 (foundation/sealed.py), and says how
// old it is. It asks no server for anything, and forgets everything when the tab is closed.
"use strict";
const told = document.body.dataset;
const words = JSON.parse(told.words);
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

function age() {
  const since = Math.floor((Date.now() - Date.parse(told.at)) / 1000);
  const behind = since < -60; // by a clock that is behind every copy would be new
  const seconds = Math.max(0, since);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  let said = words.just;
  if (hours >= 48) said = fill(words.d, { n: Math.floor(hours / 24) });
  else if (hours) said = fill(words.h, { n: hours, m: minutes % 60 });
  else if (minutes) said = fill(words.min, { n: minutes });
  if (behind) said = words.behind;
  const place = document.getElementById("how-old");
  if (place.textContent !== said) place.textContent = said;
  const old = seconds > Number(told.old);
  document.body.classList.toggle("is-old", old || behind);
  document.getElementById("old").hidden = !old;
}

async function opened(typed) {
  const plain = [...typed.toUpperCase()].filter((one) => /[\p{L}\p{N}]/u.test(one)).join("");
  const text = new TextEncoder();
  const raw = await crypto.subtle.importKey("raw", text.encode(plain), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(told.salt), iterations: Number(told.rounds) };
  const key = await crypto.subtle.deriveKey(how, raw, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  const box = bytes(told.box);
  const what = { name: "AES-GCM", iv: box.slice(0, 12), additionalData: text.encode(told.label) };
  return new TextDecoder().decode(await crypto.subtle.decrypt(what, key, box.slice(12)));
}

document.getElementById("open").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = document.getElementById("words");
  const wrong = document.getElementById("wrong");
  wrong.textContent = "";
  if (!globalThis.crypto?.subtle) {
    wrong.textContent = words.cannot;
    return;
  }
  try {
    // Written by Bedside and vouched for by the seal; the policy above lets no script of it run.
    document.getElementById("inside").innerHTML = await opened(field.value);
  } catch {
    field.setAttribute("aria-invalid", "true");
    wrong.textContent = words.wrong;
    field.focus();
    return;
  }
  event.target.remove();
  document.getElementById("print").addEventListener("click", () => print());
  document.getElementById("inside").querySelector("h2").focus();
});

age();
setInterval(age, 1000);
