// hooks.py appends this to the theme's search worker, which finds each word that begins as a typed one:
// "conta" finds "contato", "versões" not "versão", and "de" finds "desde". With this, a word that the site
// has finds its other forms, with or without accents, its line of LIKE, and names such as
// PS7_READ_TIMEOUT for "timeout". Another finds what it begins. "de" finds nothing beside other words, nor "PS7".
{
  const LIKE = `
    ação ações action
    acessa acesso lê recebe access
    agência agency
    apagar excluir exclusão eliminar eliminação esquecer remover delete erase erasure
    atendente humano pessoa agent handover transferir
    atualizar upgrade versão
    auditoria auditor evidências rastreabilidade trilha audit evidence
    autenticação autenticado login authenticated authentication
    caiu fora indisponível queda down outage unavailable ps7unavailable
    certificado certificate
    chave key
    cliente titular customer
    conta account
    debugar depurar debug
    demora lento latência timeout slow latency
    deslogar sair logout
    desligar desativar disable kill off
    erro falha error failure
    expirou expirado vencido vencer validade expired expires
    firewall porta rede port network
    guardar reter retenção prazo retention
    incidente vazamento breach incident leak
    instalar instalação install
    intrusão pentest penetration
    mascarado mascarar masked mask
    mudar trocar renovar rotacionar change renew rotate switch
    mudo calado silêncio responde nothing silent
    relatar reportar report
    relógio clock
    requisição limite requests limit rate
    reverter voltar rollback
    segmento segment
    servidor server
    senha credencial password credentials
    sonda probe liveness readiness
    vazio nulo empty blank null none
    vulnerabilidade vulnerability
  `.trim().split("\n").map((line) => line.trim().split(" "))
  const [FORM, LIKENESS, PART] = [0.8, 0.4, 0.2]
  const PLURALS = [[/(oes|aes|aos)$/, "ao"], [/([aeo])is$/, "$1l"], [/ns$/, "m"]] // which the stemmer keeps apart
  const folded = (word) =>
    PLURALS.reduce((each, [ending, one]) => each.replace(ending, one), word.normalize("NFD").replace(/\p{M}/gu, ""))
  const stems = (word) => [folded(word), `pt ${lunr.pt.stemmer(word)}`, `en ${lunr.stemmer(new lunr.Token(word))}`]
  const said = (word, line) => line.flatMap(stems).some((stem) => stems(word).includes(stem))
  const idle = (word) => word === "ps7" || !lunr.stopWordFilter(word) || !lunr.pt.stopWordFilter(word)
  const known = new WeakMap()

  function wordsOf(index) {
    if (!known.has(index)) {
      const words = new Map()
      for (const word of Object.keys(index.invertedIndex))
        for (const key of [...stems(word), ...word.split("_").slice(1).map((part) => `_${part}`)])
          words.set(key, [...(words.get(key) || []), word])
      known.set(index, words)
    }
    return known.get(index)
  }

  function formsOf(word, words) {
    const spelt = [word, ...(words.get(folded(word)) || [])]
    return new Set(spelt.flatMap(stems).flatMap((stem) => words.get(stem) || []))
  }

  lunr.Index.prototype.search = function (typed) {
    const words = wordsOf(this)
    const parsed = new lunr.Query(this.fields)
    new lunr.QueryParser(typed, parsed).parse()
    const plain = ({ term, boost, presence }) =>
      /^[^*]+\*$/.test(term) && boost === 1 && presence === lunr.Query.presence.OPTIONAL && term.slice(0, -1)
    const asked = parsed.clauses.map((clause) => [clause, plain(clause)])
    const skips = asked.some(([, word]) => !word || !idle(word)) ? idle : () => false
    const finds = new Map()
    const skipped = []
    const found = this.query((query) => {
      for (const [clause, word] of asked) {
        if (word && skips(word)) {
          skipped.push(word)
          continue
        }
        const forms = word ? formsOf(word, words) : new Set()
        if (!forms.size) query.clause(clause)
        const meant = LIKE.filter((line) => word && said(word, line))
        const like = new Set(meant.flat().flatMap((each) => [...formsOf(each, words)]))
        for (const each of new Set([...forms, ...like, ...(words.get(`_${word}`) || [])])) {
          const boost = each === word ? 1 : forms.has(each) ? FORM : like.has(each) ? LIKENESS : PART
          query.clause({ ...clause, term: each, boost, wildcard: lunr.Query.wildcard.NONE })
          if (boost >= FORM || !finds.has(each)) finds.set(each, word)
        }
      }
    })
    for (const { matchData } of found) { // the theme says "Missing" of a typed word that begins none of these
      const matches = Object.entries(matchData.metadata)
      const named = matches.map(([each, where]) => [finds.has(each) ? `${finds.get(each)} ${each}` : each, where])
      matchData.metadata = Object.fromEntries([...named, ...skipped.map((each) => [each, {}])])
    }
    return found
  }
}
