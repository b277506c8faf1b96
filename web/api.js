// What the page asks of its node, with the token if it demands one.

const KEPT = 'xorbit-token'
/** How long a node may take to tell of itself. */
export const PATIENCE_MS = 10_000

/** What went wrong, as the node told it (RFC 9457). */
export class Problem extends Error {
  constructor(told, status) {
    super(told.detail ?? told.title ?? `the node answered ${status}`)
    this.status = status
    this.told = told
    this.hint = told.hint
  }
}

/** Nobody answered, or what answered is no gateway. */
export class Silence extends Error {}

let unauthorized = () => {}

/** Calls back when the node wants a token, or another one. */
export function whenUnauthorized(listener) {
  unauthorized = listener
}

export function hasToken() {
  return sessionStorage.getItem(KEPT) !== null
}

export function useToken(token) {
  sessionStorage.setItem(KEPT, token)
}

/** Sends a request and gives its response, if it is a good one. */
export async function send(path, { headers = {}, ...options } = {}) {
  const token = sessionStorage.getItem(KEPT)
  if (token !== null) headers.Authorization = `Bearer ${token}`
  let response
  try {
    response = await fetch(path, { cache: 'no-store', ...options, headers })
  } catch (cause) {
    if (options.signal?.aborted && options.signal.reason?.name === 'AbortError') throw cause
    throw new Silence('the gateway does not answer', { cause })
  }
  if (response.ok) return response
  const problem = new Problem(await response.json().catch(() => ({})), response.status)
  if (response.status === 401) unauthorized(problem)
  throw problem
}

/** Sends a request and reads the object that comes back. */
export async function ask(path, options = {}) {
  const headers = { Accept: 'application/json', ...options.headers }
  const response = await send(path, { ...options, headers })
  return response.json()
}

/** Asks for what a node tells of itself, which it has at hand. */
export function glance(path) {
  return ask(path, { signal: AbortSignal.timeout(PATIENCE_MS) })
}

/** A path with a key in it and what else is said; what is empty is left out. */
export function keyed(folder, key, said = {}, tail = '') {
  const query = new URLSearchParams(Object.entries(said).filter(([, value]) => value !== ''))
  const asked = query.size > 0 ? `?${query}` : ''
  return `${folder}/${encodeURIComponent(key)}${tail}${asked}`
}
