// Server-sent events out of a fetch, which unlike EventSource can show a token.

/** Takes text as it comes and gives the events that are whole. */
export function parser() {
  let rest = ''
  return (text) => {
    rest += text
    const blocks = rest.split(/\r\n\r\n|\n\n|\r\r/)
    rest = blocks.pop()
    return blocks.map(event).filter((found) => found !== undefined)
  }
}

function event(block) {
  let name = 'message'
  const data = []
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':')
    // A line that begins with a colon is a sign of life.
    if (colon === 0) continue
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') name = value
    if (field === 'data') data.push(value)
  }
  return data.length > 0 ? { name, data: data.join('\n') } : undefined
}

/** The events of a response, as `[name, object]`. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  const parse = parser()
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      for (const { name, data } of parse(value)) yield [name, JSON.parse(data)]
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
