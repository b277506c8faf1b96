'use strict'
// A few bittorrent-dht (WebTorrent) nodes on loopback, told what to do line by line.
//
//     XORBIT_NODE_MODULES=DIR node bittorrent_dht_peer.js [--nodes N] [--bootstrap IP:PORT]...
//
// DIR is the node_modules folder that holds bittorrent-dht. The protocol is the one at
// the top of libtorrent_peer.py, with these differences: `sample` is unsupported,
// `direct` works, put_mutable takes `seq` and `cas`, and announce tells `stored`.
//
// `direct` asks {"to":"ip:port","message":{"q":"find_node","a":{"target":hex}}}: strings
// in `a` are hex, and the node's own id is added. Its reply is the whole message, with
// strings as hex.

const crypto = require('node:crypto')
const path = require('node:path')
const readline = require('node:readline')
const { pathToFileURL } = require('node:url')
const { parseArgs } = require('node:util')

const JOIN_LIMIT = 20_000
// Below the 20 s that callers allow, so that they read our error, not their own.
const OPERATION_LIMIT = 18_000
// How long a full table is waited for before a usable one will do.
const FULL_TABLE_PATIENCE = 10_000
// Contacts that make a table usable: what the rest of Mainline stores on.
const ENOUGH_CONTACTS = 8

// A request or a start that cannot be carried out; the hint is for whoever started us.
class Refused extends Error {
  constructor (message, hint) {
    super(message)
    this.hint = hint
  }
}

async function main () {
  const { values: options } = parseArgs({
    options: {
      nodes: { type: 'string', default: '1' },
      bootstrap: { type: 'string', multiple: true, default: [] }
    }
  })
  const count = Number(options.nodes)
  if (!(count >= 1)) throw new Refused(`not a number of nodes: \`${options.nodes}\``, 'pass --nodes 1 or more')
  const DHT = await loadDht()
  const peers = []
  while (peers.length < count) peers.push(await Peer.listen(DHT))
  const network = new Network(peers)
  const joined = await network.join(options.bootstrap.map(endpoint), JOIN_LIMIT)
  const ports = peers.map(peer => peer.port)
  const ids = peers.map(peer => peer.dht.nodeId.toString('hex'))
  say({ ready: true, ports, ids, ...joined })
  serve(network)
}

// The package is an ES module that names no entry for `require`, and `import` does not
// look into NODE_PATH: so the file is imported by its path.
async function loadDht () {
  const folder = process.env.XORBIT_NODE_MODULES
  if (!folder) throw new Refused('`XORBIT_NODE_MODULES` is not set', 'set it to the node_modules folder that holds bittorrent-dht')
  const entry = path.resolve(folder, 'bittorrent-dht', 'index.js')
  const module = await import(pathToFileURL(entry).href)
  return module.Client ?? module.default
}

// Answers in the order of the requests, so that scripts may write ahead.
function serve (network) {
  let last = Promise.resolve()
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', line => { last = last.then(() => answer(network, line)) })
  lines.on('close', () => last.then(() => process.exit(0)))
}

async function answer (network, line) {
  let id = null
  try {
    const request = JSON.parse(line)
    if (request === null || typeof request !== 'object') throw new Refused('a request is a JSON object')
    id = request.id ?? null
    if (request.op === 'quit') {
      say({ id })
      process.exit(0)
    }
    say({ id, ...await network.answer(request) })
  } catch (error) {
    say({ id, error: error.message, code: error.code })
  }
}

// The nodes of this process.
class Network {
  constructor (peers) {
    this.peers = peers
  }

  table () {
    return { table: this.peers.map(peer => peer.contacts().size) }
  }

  held () {
    const counts = this.peers.map(peer => peer.held())
    return {
      immutable: counts.map(count => count.immutable),
      mutable: counts.map(count => count.mutable),
      peers: counts.map(count => count.peers)
    }
  }

  // Makes every node know every other one and the endpoints `others`.
  async join (others, limit) {
    const own = this.peers.map(peer => ({ host: '127.0.0.1', port: peer.port }))
    const start = Date.now()
    await Promise.all(this.peers.map(async (peer, index) => {
      const wanted = [...own, ...others].filter(each => nameOf(each) !== nameOf(own[index]))
      const enough = Math.min(wanted.length, ENOUGH_CONTACTS)
      for (;;) {
        const met = wanted.filter(each => peer.met.has(nameOf(each)))
        const size = Math.min(met.length, peer.contacts().size)
        const waited = Date.now() - start
        if (met.length === wanted.length && size >= enough) return
        if (size >= enough && waited > FULL_TABLE_PATIENCE) return
        if (waited > limit) {
          const found = `table not filled within ${limit / 1000} s: \`${size}\` of \`${wanted.length}\``
          throw new Refused(found, 'every --bootstrap must be a running IPv4 DHT node')
        }
        const missing = wanted.filter(each => !met.includes(each))
        await Promise.all(missing.map(each => peer.meet(each)))
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }))
    return this.table()
  }

  async answer (request) {
    const op = field(request, 'op')
    if (op === 'table') return this.table()
    if (op === 'held') return this.held()
    if (op === 'join') return this.join(field(request, 'to').map(endpoint), OPERATION_LIMIT)
    const peer = this.peers[request.node ?? 0]
    if (!peer) throw new Refused(`no node \`${request.node}\`, there are ${this.peers.length}`)
    const operation = OPERATIONS[op]
    if (!operation) throw new Refused(`unknown op \`${op}\``)
    return within(OPERATION_LIMIT, op, operation(peer, request))
  }
}

// One DHT node on its own port.
class Peer {
  static listen (DHT) {
    const dht = new DHT({
      bootstrap: false,
      verify,
      maxValues: 100_000,
      maxPeers: 100_000,
      maxTables: 100_000
    })
    dht.on('warning', error => process.stderr.write(`warning: ${error.message}\n`))
    return new Promise((resolve, reject) => {
      dht.once('error', reject)
      dht.listen(0, '127.0.0.1', () => resolve(new Peer(dht)))
    })
  }

  constructor (dht) {
    this.dht = dht
    this.port = dht.address().port
    // Who answered our ping. The table alone proves less: whoever asks gets into it.
    this.met = new Set()
  }

  contacts () {
    return new Set(this.dht.nodes.toArray().map(nameOf))
  }

  held () {
    const values = Object.values(this.dht._values.cache).map(({ value }) => value)
    const mutable = values.filter(value => value.k).length
    const { _fresh: fresh, _stale: stale } = this.dht._peers
    const infoHashes = new Set([...fresh.records.keys(), ...stale.records.keys()])
    return { immutable: values.length - mutable, mutable, peers: infoHashes.size }
  }

  // dht.addNode pings too, but tells nobody of a silent node.
  meet (node) {
    return new Promise(resolve => this.dht._sendPing(node, (error, found) => {
      if (!error) {
        this.dht.addNode(found)
        this.met.add(nameOf(found))
      }
      resolve()
    }))
  }

  // put and announce write to the nodes of the last lookup of the same target, for five
  // minutes, even if that was a get that stopped at the first answer, or came before
  // other nodes joined. Without it they look first.
  forgetLookup (target) {
    this.dht._tables.remove(target.toString('hex'))
  }

  // The nodes that said yes; the copy that an immutable put leaves with this node itself
  // is not among them. Every node that the lookup heard from is written to: k is 20, and
  // a lookup that came over far nodes counts more.
  put (target, options) {
    this.forgetLookup(target)
    return new Promise((resolve, reject) => {
      this.dht.put(options, (error, _key, stored) => error ? reject(error) : resolve(stored))
    })
  }

  // Its own copy is what a node answers with first; `cache: false` asks the others, too.
  get (target, options) {
    return new Promise((resolve, reject) => {
      const asked = { ...options, cache: false }
      this.dht.get(target, asked, (error, found) => error ? reject(error) : resolve(found))
    })
  }

  getMutable (key, salt) {
    return this.get(mutableTarget(key, salt), salt.length ? { salt } : {})
  }

  lookup (infoHash) {
    const found = new Set()
    const collect = (peer, of) => { if (of.equals(infoHash)) found.add(nameOf(peer)) }
    this.dht.on('peer', collect)
    return new Promise((resolve, reject) => {
      this.dht.lookup(infoHash, error => {
        this.dht.off('peer', collect)
        error ? reject(error) : resolve([...found].sort())
      })
    })
  }

  announce (infoHash, port) {
    this.forgetLookup(infoHash)
    return new Promise((resolve, reject) => {
      this.dht.announce(infoHash, port, (error, stored) => error ? reject(error) : resolve(stored))
    })
  }

  // An error reply is a reply; only silence is an error.
  query (to, message) {
    return new Promise((resolve, reject) => {
      this.dht._rpc.query(to, message, (error, reply) => reply ? resolve(reply) : reject(error))
    })
  }
}

const OPERATIONS = {
  async put_immutable (peer, request) {
    const v = valueIn(request)
    const target = sha1(Buffer.from(`${v.length}:`), v)
    return { target: target.toString('hex'), stored: await peer.put(target, { v }) }
  },

  async get_immutable (peer, request) {
    const found = await peer.get(hexIn(request, 'target', 20), {})
    return toldValue(found?.v)
  },

  async put_mutable (peer, request) {
    const v = valueIn(request)
    const { key, sign } = signer(hexIn(request, 'seed', 32))
    const salt = saltIn(request)
    const seq = request.seq ?? ((await peer.getMutable(key, salt))?.seq ?? 0) + 1
    const options = { k: key, seq, v, sign }
    if (salt.length) options.salt = salt
    if (Number.isInteger(request.cas)) options.cas = request.cas
    const stored = await peer.put(mutableTarget(key, salt), options)
    return { public_key: key.toString('hex'), stored, seq }
  },

  async get_mutable (peer, request) {
    const found = await peer.getMutable(hexIn(request, 'public_key', 32), saltIn(request))
    return { ...toldValue(found?.v), seq: found?.seq ?? null }
  },

  async announce (peer, request) {
    return { stored: await peer.announce(hexIn(request, 'info_hash', 20), field(request, 'port')) }
  },

  async get_peers (peer, request) {
    return { peers: await peer.lookup(hexIn(request, 'info_hash', 20)) }
  },

  async sample () {
    throw new Refused('unsupported: bittorrent-dht has no sample_infohashes')
  },

  async direct (peer, request) {
    const { q, a = {} } = field(request, 'message')
    const reply = await peer.query(endpoint(field(request, 'to')), { q, a: bytesOf(a) })
    return { reply: hexOf(reply) }
  }
}

function mutableTarget (key, salt) {
  return sha1(key, salt)
}

function sha1 (...parts) {
  return crypto.createHash('sha1').update(Buffer.concat(parts)).digest()
}

// Node's crypto takes Ed25519 keys in DER only: these bytes, then the 32 of the key
// (RFC 8410).
const PRIVATE_KEY_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_KEY_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

function signer (seed) {
  const der = Buffer.concat([PRIVATE_KEY_HEADER, seed])
  const secret = crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const key = crypto.createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { key, sign: message => crypto.sign(null, message, secret) }
}

// bittorrent-dht stores and believes no mutable item without this function, and a
// stranger's bytes come to it unchecked.
function verify (signature, message, key) {
  try {
    const der = Buffer.concat([PUBLIC_KEY_HEADER, key])
    const known = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' })
    return crypto.verify(null, message, known, signature)
  } catch {
    return false
  }
}

function toldValue (v) {
  if (v === undefined) return { value: null, value_hex: null }
  if (!Buffer.isBuffer(v)) throw new Refused(`not a byte string: \`${JSON.stringify(hexOf(v))}\``)
  const text = v.toString()
  return { value: Buffer.from(text).equals(v) ? text : null, value_hex: v.toString('hex') }
}

function field (request, name) {
  if (request[name] === undefined) throw new Refused(`missing field \`${name}\``)
  return request[name]
}

function valueIn (request) {
  if (request.value_hex !== undefined) return fromHex('value_hex', request.value_hex)
  return Buffer.from(field(request, 'value'))
}

function saltIn (request) {
  return Buffer.from(request.salt ?? '')
}

function hexIn (request, name, length) {
  const bytes = fromHex(name, field(request, name))
  if (bytes.length !== length) throw new Refused(`\`${name}\` has ${bytes.length} bytes, not ${length}`)
  return bytes
}

// Buffer.from alone would stop silently at the first character that is not hex.
function fromHex (name, text) {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Refused(`\`${name}\` is not hex: \`${text}\``)
  return Buffer.from(text, 'hex')
}

function bytesOf (value) {
  if (typeof value === 'string') return fromHex('message', value)
  return mapped(value, bytesOf)
}

function hexOf (value) {
  if (ArrayBuffer.isView(value)) return Buffer.from(value).toString('hex')
  return mapped(value, hexOf)
}

function mapped (value, change) {
  if (Array.isArray(value)) return value.map(change)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, change(each)]))
}

function endpoint (text) {
  const [, host, port] = /^([0-9.]+):(\d+)$/.exec(text) ?? []
  if (!port) throw new Refused(`not an IPv4 endpoint: \`${text}\``)
  return { host, port: Number(port) }
}

function nameOf ({ host, port }) {
  return `${host}:${port}`
}

function within (limit, what, work) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Refused(`${what}: no answer within ${limit / 1000} s`)), limit)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function say (message) {
  process.stdout.write(JSON.stringify(message) + '\n')
}

process.stdout.on('error', () => process.exit(0))
main().catch(error => {
  say({ ready: false, error: error.message })
  const hint = error.hint ?? 'is bittorrent-dht installed where XORBIT_NODE_MODULES points?'
  process.stderr.write(`error: ${error.message}\nhint: ${hint}\n`)
  process.exitCode = 1
  setImmediate(() => process.exit())
})
