// One animation frame for all pictures: each is drawn only when it asked for it.

const waiting = new Set()

let scheduled = false

/** Draws a picture in the next frame, once however often it is asked for. */
export function draw(picture) {
  waiting.add(picture)
  if (scheduled) return
  scheduled = true
  requestAnimationFrame(frame)
}

function frame(now) {
  scheduled = false
  const pictures = [...waiting]
  waiting.clear()
  for (const picture of pictures) picture(now)
}

const still = matchMedia('(prefers-reduced-motion: reduce)')

/** Whether the reader does not want things to move. */
export const isStill = () => still.matches

/** Sizes a canvas to its place on the screen and gives what draws on it, in pixels of CSS. */
export function surface(canvas) {
  const { width, height } = canvas.getBoundingClientRect()
  const scale = window.devicePixelRatio || 1
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)]
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide
    canvas.height = high
  }
  const context = canvas.getContext('2d')
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  return { context, width, height }
}

/** The colours of the style sheet, which are others in the dark. */
let colours
export function palette() {
  if (colours === undefined) {
    // A property keeps the words of the style sheet; only a colour that is worn is worked out.
    const probe = document.body.appendChild(document.createElement('i'))
    probe.hidden = true
    const of = (name) => {
      probe.style.color = `var(--${name})`
      return getComputedStyle(probe).color
    }
    const names = ['accent', 'second', 'warn', 'bad', 'text', 'muted', 'line', 'card', 'fill']
    colours = Object.fromEntries(names.map((name) => [name, of(name)]))
    probe.remove()
  }
  return colours
}

/** Calls back when colours or sizes changed and all has to be drawn anew. */
export function whenLookChanges(listener) {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const recolour = () => {
    colours = undefined
    listener()
  }
  dark.addEventListener('change', recolour)
  addEventListener('themechange', recolour)
  addEventListener('resize', listener)
}
