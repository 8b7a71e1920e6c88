/**
 * Bundles the page and the report, each into one script and one style sheet, the same bytes each time.
 *
 *   node build.mjs [page|report] [--out FOLDER] [--watch]
 *
 * Without --out, into the Python packages that serve them; with it, into FOLDER/page and FOLDER/report.
 */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, context } from "esbuild";

const WEB = import.meta.dirname;
const PLACES = { page: "../service/page/static", report: "../fixlip_core/report/static" };
const PACKAGE = /node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const LICENCES = "THIRD-PARTY.txt";
const BANNER = `/* fixlip, Apache-2.0. Contains Preact and Preact Signals, (c) Jason Miller and others, MIT: ${LICENCES}. */`;

/** The licences of the packages that ended up in a bundle. @param {import("esbuild").Metafile} metafile */
async function licences(metafile) {
  const files = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const names = files.filter(([, use]) => use.bytesInOutput > 0).map(([path]) => PACKAGE.exec(path)?.[1] ?? "");
  const texts = [...new Set(names.filter(Boolean))].sort().map(async (name) => {
    const folder = join(WEB, "node_modules", name);
    const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    return `${name} ${version}\n\n${(await readFile(join(folder, "LICENSE"), "utf8")).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

/** Puts beside a bundle what it needs. @param {string} name @param {string} folder @returns {import("esbuild").Plugin} */
function besides(name, folder) {
  return {
    name: "besides",
    setup({ onEnd }) {
      onEnd(async ({ errors, metafile }) => {
        if (errors.length || !metafile) return;
        await writeFile(join(folder, LICENCES), await licences(metafile));
        // Files that are shipped as they are.
        await cp(join(WEB, "src", name, "public"), folder, { recursive: true }).catch((error) => {
          if (error.code !== "ENOENT") throw error;
        });
      });
    },
  };
}

/** @param {string} name @param {string} folder @returns {import("esbuild").BuildOptions} */
function options(name, folder) {
  return {
    absWorkingDir: WEB,
    entryPoints: { [name]: `src/${name}/main.tsx` },
    outdir: folder,
    plugins: [besides(name, folder)],
    bundle: true,
    minify: true,
    metafile: true,
    preserveSymlinks: true,
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    banner: { js: BANNER },
    logLevel: "warning",
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string" }, watch: { type: "boolean", default: false } },
});
for (const [name, place] of Object.entries(PLACES)) {
  if (positionals.length && !positionals.includes(name)) continue;
  const folder = values.out ? resolve(values.out, name) : resolve(WEB, place);
  if (values.watch) await (await context(options(name, folder))).watch();
  else await build(options(name, folder));
}
