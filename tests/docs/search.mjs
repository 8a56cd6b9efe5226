// WORKER INDEX QUERY…: asks the site's search, and prints for each query the pages found, each as its parts.
import { readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { runInThisContext } from "node:vm"

const [worker, index, ...queries] = process.argv.slice(2)
const load = (file) => runInThisContext(readFileSync(file, "utf-8"), file)
const listeners = []
globalThis.self = globalThis
globalThis.addEventListener = (_, listener) => listeners.push(listener)
globalThis.importScripts = (...files) => files.forEach((file) => load(resolve(dirname(worker), file)))
const asked = (type, data) =>
  new Promise((done) => {
    globalThis.postMessage = done
    listeners.forEach((listener) => listener({ data: { type, data } }))
  })

load(worker)
await asked(0, { ...JSON.parse(readFileSync(index, "utf-8")), options: {} })
const found = []
for (const query of queries) found.push((await asked(2, query)).data.items.map((page) => page.map((part) => part.location)))
console.log(JSON.stringify(found))
