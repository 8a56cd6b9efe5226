// SEARCH WORDS QUERY…: runs search.js over a stand-in of lunr whose site has these words and whose stemmers change
// none; prints for each query what is looked for, and how much each counts.
import { readFileSync } from "node:fs"
import { runInNewContext } from "node:vm"

const [search, words, ...queries] = process.argv.slice(2)
const same = (word) => String(word)
class Query {
  static presence = { OPTIONAL: 1 }
  static wildcard = { NONE: 0 }
}
class QueryParser {
  constructor(typed, query) {
    this.parse = () => (query.clauses = typed.split(" ").map((word) => ({ term: `${word}*`, boost: 1, presence: 1 })))
  }
}
class Index {
  fields = []
  invertedIndex = Object.fromEntries(words.split(" ").map((word) => [word, {}]))
  query(fill) {
    this.asked = []
    fill({ clause: ({ term, boost }) => this.asked.push([term, boost]) })
    return []
  }
}
const idle = (word) => (word === "de" ? undefined : word)
const lunr = { Index, Query, QueryParser, Token: String, stemmer: same, stopWordFilter: same }
runInNewContext(readFileSync(search, "utf-8"), { lunr: { ...lunr, pt: { stemmer: same, stopWordFilter: idle } } })
const found = queries.map((query) => {
  const index = new Index()
  index.search(query)
  return index.asked
})
console.log(JSON.stringify(found))
