// The panel of keys: put, get and delete, what came of it, and where a key is kept.

import { ask, keyed, send } from './api.js'
import { byId, el } from './elements.js'
import { bytes, count, millis, moment, span } from './format.js'
import { described } from './problem.js'
import { replicaMap } from './replicas.js'

/** What is shown of a long value. */
const SHOWN = 20_000

export class Keys {
  #own
  #changed
  #result = byId('keys-result')
  #form = byId('keys-form')

  /** `changed` is called when something may be held that was not before. */
  constructor(changed) {
    this.#changed = changed
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      // Enter in a field puts: it is what most come for.
      this.run(event.submitter?.value ?? 'put')
    })
    // A key and Enter alone would press the first button.
    byId('key').addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return
      event.preventDefault()
      this.run(byId('value').value === '' ? 'get' : 'put')
    })
  }

  /** Who the node is, which is a replica of some keys itself. */
  set own(id) {
    this.#own = id
  }

  /** Does what a button says. */
  async run(verb) {
    if (!this.#form.reportValidity()) return
    this.#busy(true)
    try {
      const told = await this[`_${verb}`](byId('key').value, byId('namespace').value)
      this.#result.replaceChildren(...told.filter(Boolean))
    } catch (problem) {
      const { receipt, found } = problem.told ?? {}
      const more = receipt && [this.#receipt('Stored', receipt, 'lives until')]
      this.#result.replaceChildren(described(problem), ...(more ?? []), ...(found ? [agreement(found)] : []))
    } finally {
      this.#busy(false)
      this.#changed()
    }
  }

  #busy(is) {
    byId('keys-empty').hidden = true
    this.#result.setAttribute('aria-busy', String(is))
    for (const button of this.#form.querySelectorAll('button')) button.disabled = is
  }

  async _put(key, namespace) {
    const ttl = byId('ttl').value
    const value = new TextEncoder().encode(byId('value').value)
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' }
    const receipt = await ask(keyed('/v1/kv', key, { namespace, ttl }), { method: 'PUT', body: value, headers })
    return [this.#receipt('Stored', receipt, 'lives until'), await this.#map(key, namespace, receipt)]
  }

  async _delete(key, namespace) {
    const receipt = await ask(keyed('/v1/kv', key, { namespace }), { method: 'DELETE' })
    return [this.#receipt('Deleted', receipt, 'remembered until'), await this.#map(key, namespace, receipt)]
  }

  /** Asks all replicas, to tell of each; one that is silent does not stand in the way of the value. */
  async _get(key, namespace) {
    try {
      const report = await this.#asked(key, namespace, 'all')
      return [await valueOf(report, key, namespace), agreement(report), this.#drawn(report)]
    } catch (problem) {
      if (problem.told?.kind !== 'not_enough_replicas' || !problem.told.found) throw problem
      const report = await this.#asked(key, namespace, 'quorum')
      return [await valueOf(report, key, namespace), agreement(report), this.#drawn(partly(problem))]
    }
  }

  #asked(key, namespace, consistency) {
    return ask(keyed('/v1/kv', key, { namespace, trace: 'true', consistency }))
  }

  #receipt(done, { replicas, version, expires_ms: expires, effort, chunks }, lives) {
    const { stored, refused, silent, known } = replicas
    const short = stored.length < known
    const lines = [
      `${done} at ${stored.length} of ${count(known, 'replica')}, version ${version}`,
      expires && `${lives} ${moment(expires)}`,
      chunks && count(chunks.stored, 'chunk'),
      millis(effort.took_ms),
    ].filter(Boolean)
    const lost = [
      ...refused.map(({ address, code, text }) => `${address ?? 'this node'} refused (${code}: ${text})`),
      ...silent.map(({ address }) => `${address ?? 'this node'} did not answer`),
    ]
    return el('div', { class: short ? 'receipt short' : 'receipt' },
      el('strong', {}, lines[0]), ` · ${lines.slice(1).join(' · ')}`,
      short && el('p', {}, `Only ${stored.length} of ${known} replicas: ${lost.join('; ')}`))
  }

  /** Where a key is kept now; of a deleted one the tombstones. */
  async #map(key, namespace, { target, replicas }) {
    try {
      return this.#drawn(await this.#asked(key, namespace, 'all'))
    } catch (problem) {
      // Why there is none is told in the receipt already; the steps show who knows.
      const report = partly(problem)
      const deleted = report.reason === 'deleted'
      return report.steps && this.#drawn({ ...report, deleted, target, known: replicas.known })
    }
  }

  #drawn(report) {
    return replicaMap(report, this.#own)
  }
}

/** What a failure tells of the replicas all the same. */
function partly({ told }) {
  return { ...told, ...told?.found }
}

function agreement(report) {
  const { agreed, known, stale, missing, silent, repairing, effort } = report
  const others = [
    [stale, 'older'], [missing, 'without it'], [silent, 'silent'], [repairing, 'being repaired'],
  ].filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)
  const lives = report.expires_ms ? `lives ${span(report.expires_ms - Date.now())} more` : 'plain: lives two hours from its last put'
  const told = [
    `version ${report.version}`,
    report.written_ms && `written ${moment(report.written_ms)}`,
    lives,
    `${count(effort.hops, 'hop')}, ${millis(effort.took_ms)}`,
  ].filter(Boolean)
  return el('div', { class: agreed < known ? 'receipt short' : 'receipt' },
    el('strong', {}, [`${agreed} of ${count(known, 'replica')} agree`, ...others].join(', ')),
    ` · ${told.join(' · ')}`)
}

/** A value as text; what is none as digits, and what is long from its beginning. */
async function valueOf(report, key, namespace) {
  if (report.chunks !== null) {
    const response = await send(keyed('/v1/kv', key, { namespace }))
    const blob = await response.blob()
    const save = el('a', { href: URL.createObjectURL(blob), download: key }, `Save the ${bytes(blob.size)}`)
    const text = await blob.slice(0, SHOWN).text()
    return el('div', {}, el('pre', { class: 'value', tabindex: '0', 'aria-label': 'Value' }, `${text} …`), save)
  }
  const value = report.value ?? report.value_hex ?? ''
  const kind = report.value_hex === undefined ? '' : 'as hexadecimal digits'
  return el('div', {}, kind && el('p', { class: 'quiet' }, kind),
    el('pre', { class: 'value', tabindex: '0', 'aria-label': 'Value' }, value))
}
