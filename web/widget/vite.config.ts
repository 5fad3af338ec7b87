import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const LIMIT_BYTES = 15_000;

/** Fails the build when the script would be more than pages should have to load. */
function sizeLimit(): Plugin {
  return {
    name: "size-limit",
    generateBundle(_, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        const size = file.type === "chunk" ? gzipSync(file.code).length : 0;
        if (size > LIMIT_BYTES) this.error(`${name} has ${size} bytes gzipped; the limit is ${LIMIT_BYTES}.`);
      }
    },
  };
}

export default defineConfig({
  plugins: [sizeLimit()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "../../src/chatwright/surfaces/http/static",
    emptyOutDir: false,
    reportCompressedSize: true,
    lib: { entry: "src/main.tsx", formats: ["iife"], name: "ChatwrightWidget", fileName: () => "widget.js" },
  },
});
