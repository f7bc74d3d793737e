// Builds the front end into src/bedside/web/static: hashed names, a manifest, precompressed copies, the icons in use.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import subset from "subset-font";
import { type Plugin, defineConfig } from "vite";

const here = import.meta.dirname;
const web = join(here, "src/bedside/web");
const out = join(web, "static");
const fonts = join(here, "build/fonts");

// English and Spanish, the accents of the languages a clinic's names come from (Latin-1), and the signs pages use.
const letters =
  range(0x20, 0x7e) + range(0xa1, 0xff).replace("\u00ad", "") + "ŒœŠšŽžŸ–—‘’“”„•…‹›€−×≤≥≠≈←→↑↓\u00a0\u2009\u202f";

/** Files under a folder, by their path in it, that fit a pattern; what the build itself wrote is left out. */
function within(folder: string, fits: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => fits.test(file) && !(folder === web && file.startsWith("static/")))
    .sort();
}

function range(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, n) => String.fromCodePoint(from + n)).join("");
}

/** Atkinson Hyperlegible, cut down to `letters`, once: build/fonts is named by what it was made from. */
function subsetFonts(): Plugin {
  return {
    name: "bedside-fonts",
    async config() {
      mkdirSync(fonts, { recursive: true });
      const folder = join(here, "node_modules/@fontsource/atkinson-hyperlegible");
      const stamp = createHash("sha256").update(letters).update(readFileSync(join(folder, "package.json"))).digest("hex");
      const stampFile = join(fonts, "stamp");
      if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
      for (const weight of [400, 700]) {
        const source = readFileSync(join(folder, `files/atkinson-hyperlegible-latin-${weight}-normal.woff2`));
        writeFileSync(join(fonts, `atkinson-${weight}.woff2`), await subset(source, letters, { targetFormat: "woff2" }));
      }
      writeFileSync(stampFile, stamp);
    },
  };
}

/** The lucide icons that a template, module or script may name (any quoted word that is one), as one JSON that the kit
 * inlines from: it stays on the server, so a word too many costs nothing. */
function collectIcons(): Plugin {
  return {
    name: "bedside-icons",
    generateBundle() {
      const lucide = join(here, "node_modules/lucide-static/icons");
      const known = new Set(readdirSync(lucide).map((file) => basename(file, ".svg")));
      const used = new Set<string>();
      for (const file of within(web, /\.(html|py|ts)$/)) {
        const text = readFileSync(join(web, file), "utf8");
        for (const [, name] of text.matchAll(/["']([a-z0-9-]+)["']/g)) if (known.has(name)) used.add(name);
      }
      const shapes: Record<string, string> = {};
      for (const name of [...used].sort()) {
        const svg = readFileSync(join(lucide, `${name}.svg`), "utf8");
        shapes[name] = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
      }
      this.emitFile({ type: "asset", fileName: "icons.json", source: JSON.stringify(shapes) });
    },
  };
}

/** Each text file's .br and .gz beside it, at the highest level: the server only reads. */
function precompress(): Plugin {
  return {
    name: "bedside-precompress",
    writeBundle() {
      for (const file of within(out, /\.(js|css|svg)$/)) {
        const bytes = readFileSync(join(out, file));
        writeFileSync(join(out, `${file}.gz`), gzipSync(bytes, { level: 9 }));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(join(out, `${file}.br`), brotliCompressSync(bytes, { params }));
      }
    },
  };
}

/** patient.css, page.ts … and every island and worker, named by its place: "clinician/chart" is clinician/chart.island.ts. */
function entries(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const file of within(web, /\.(island|worker)\.ts$|^kit\/css\/(patient|staff|handbook)\.css$|^kit\/script\/[a-z]+\.ts$/))
    found[file.replace(/(\.(island|worker))?\.(ts|css)$/, "")] = join(web, file);
  return found;
}

export default defineConfig({
  root: web,
  base: "/static/",
  publicDir: false,
  clearScreen: false,
  resolve: { alias: { "@fonts": fonts, "@web": web } },
  plugins: [subsetFonts(), tailwindcss(), collectIcons(), precompress()],
  build: {
    outDir: out,
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: entries(),
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "chunk/[name]-[hash].js",
        assetFileNames: "asset/[name]-[hash][extname]",
      },
    },
  },
});
