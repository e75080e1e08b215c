import { type FunctionName, type Lifecycle, type RoundName, type Task, undo } from '../../shared/lifecycles.ts'
import { type Failing, failings } from './failures.ts'
import { escaped, text } from './svg.ts'

/**
 * The picture of a lifecycle: a box for each task in the colour of its function, a bracket at the left of each round, and at
 * the right the way that a run takes when a task fails.
 */

const [row, box, top] = [34, 26, 62] as const
const [left, width] = [110, 490] as const
const right = left + width
const page = 850

/** Of each function: the fill and the line of its boxes, by day and by night. */
const colours: Record<FunctionName, { day: [string, string]; night: [string, string] }> = {
  validate: { day: ['#f6f8fa', '#57606a'], night: ['#161b22', '#8b949e'] },
  locate: { day: ['#d7f5f2', '#0f766e'], night: ['#0b2f2c', '#2dd4bf'] },
  allocate: { day: ['#fff8c5', '#9a6700'], night: ['#332701', '#d29922'] },
  place: { day: ['#ffeff7', '#bf3989'], night: ['#3b0f28', '#db61a2'] },
  register: { day: ['#f3eadf', '#7d5a2b'], night: ['#2b2013', '#c4a06a'] },
  build: { day: ['#ddf4ff', '#0969da'], night: ['#0c2d4d', '#58a6ff'] },
  commit: { day: ['#dafbe1', '#1a7f37'], night: ['#10301c', '#3fb950'] },
  verify: { day: ['#fbefff', '#8250df'], night: ['#271052', '#a371f7'] },
  notify: { day: ['#f6f8fa', '#57606a'], night: ['#161b22', '#8b949e'] },
  recover: { day: ['#fff1e5', '#bc4c00'], night: ['#3a2108', '#f0883e'] },
}

const colourRules = (time: 'day' | 'night') =>
  Object.entries(colours).map(
    ([
      name,
      {
        [time]: [fill, stroke],
      },
    ]) => `.${name} { fill: ${fill}; stroke: ${stroke} }`,
  )

/** Boxes are named after functions in classes, texts after what they are; both times of day have the same contrast. */
const style = `
    .page { fill: #ffffff }
    .box { stroke-width: 1.3 }
    .line { fill: none; stroke: #57606a; stroke-width: 1.4 }
    .undoes { stroke: #bc4c00 }
    .ends { stroke: #cf222e; stroke-dasharray: 5 4 }
    .tip { fill: #57606a }
    .tip-undoes { fill: #bc4c00 }
    .tip-ends { fill: #cf222e }
    text { font-family: system-ui, -apple-system, "Segoe UI", "Liberation Sans", Helvetica, Arial, sans-serif; fill: #1f2328; font-size: 13px }
    .name { font-size: 16px; font-weight: 600 }
    .verb { font-weight: 600 }
    .soft { fill: #57606a; font-size: 12px }
    .end { text-anchor: end }
    ${colourRules('day').join('\n    ')}
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 }
      .line { stroke: #8b949e }
      .undoes { stroke: #f0883e }
      .ends { stroke: #ff7b72 }
      .tip { fill: #8b949e }
      .tip-undoes { fill: #f0883e }
      .tip-ends { fill: #ff7b72 }
      text { fill: #e6edf3 }
      .soft { fill: #9da7b1 }
      ${colourRules('night').join('\n      ')}
    }`

/** The picture of one lifecycle as SVG. */
export function picture(lifecycle: Lifecycle): string {
  const { name, title, tasks } = lifecycle
  const height = top + tasks.length * row + 48
  const parts = [
    ...tasks.flatMap(taskBox),
    ...roundsOf(tasks).flatMap(bracket),
    ...wayBack(failings(lifecycle)),
    text(24, height - 16, 'Each task is woken by the event of the one above it.', 'soft'),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${page} ${height}" role="img" aria-labelledby="title about">
  <title id="title">${escaped(`${title} (${name})`)}</title>
  <desc id="about">${escaped(described(lifecycle))}</desc>
  <style>${style}
  </style>
  <defs>
    ${['tip', 'tip-undoes', 'tip-ends'].map(marker).join('\n    ')}
  </defs>
  <rect class="page" width="${page}" height="${height}" rx="10"/>
  ${text(24, 30, title, 'name')}
  ${text(left + 30, 52, `dev.drover.${name}.requested`, 'soft')}
  ${parts.join('\n  ')}
</svg>
`
}

const described = ({ tasks }: Lifecycle) =>
  `The tasks in their order, each with its function: ${tasks.map((task) => `${task.title} (${task.by})`).join(', ')}. When one fails, recover takes back what the run did.`

const middle = (at: number) => top + at * row + box / 2

function taskBox({ title, by, done }: Task, at: number): string[] {
  const y = top + at * row
  const from = at === 0 ? 40 : y - (row - box)
  return [
    `<path class="line" d="M${left + 20} ${from}V${y - 1}" marker-end="url(#tip)"/>`,
    `<rect class="box ${by}" x="${left}" y="${y}" width="${width}" height="${box}" rx="6"/>`,
    text(left + 10, y + 17, by, 'verb'),
    text(left + 78, y + 17, title),
    ...(done.includes('.') ? [] : [text(right - 10, y + 17, done, 'soft end')]),
  ]
}

interface Span {
  round: RoundName
  from: number
  to: number
}

function roundsOf(tasks: readonly Task[]): Span[] {
  const named = tasks.flatMap(({ round }) => (round ? [round] : []))
  return [...new Set(named)].map((round) => {
    const places = tasks.flatMap((task, at) => (task.round === round ? [at] : []))
    return { round, from: Math.min(...places), to: Math.max(...places) }
  })
}

function bracket({ round, from, to }: Span): string[] {
  const [y, end] = [top + from * row, top + to * row + box]
  return [
    `<path class="line" d="M${left - 8} ${y}H${left - 18}V${end}H${left - 8}"/>`,
    text(left - 28, (y + end) / 2 + 4, round, 'verb end'),
  ]
}

/** Tasks that end alike when they fail share one line: up to what is undone, or down to a person. */
function wayBack(all: readonly Failing[]): string[] {
  const of = (ends: Failing['ends']) => all.flatMap((one, at) => (one.ends === ends ? [at] : []))
  const [back, lost] = [of('rolledback'), of('stranded')]
  return [
    ...rail(back, 'undoes', ['recover', 'takes back what the run', 'did, from its record']),
    ...rail(lost, 'ends', ['stranded', 'a person must look:', 'nothing can be taken back']),
    ...ending(back),
  ]
}

function rail(places: readonly number[], kind: 'undoes' | 'ends', [name = '', ...words]: string[]): string[] {
  const [first, last] = [places[0], places.at(-1)]
  if (first === undefined || last === undefined) return []
  const x = right + 34
  const y = (middle(first) + middle(last)) / 2 - 8
  const ticks = places.map((at) => `M${right} ${middle(at)}H${x}`).join('')
  const along = kind === 'undoes' ? `M${x} ${middle(last)}V${top - 20}` : `M${x} ${middle(first)}V${middle(last) + 20}`
  return [
    `<path class="line ${kind}" d="${ticks}"/>`,
    `<path class="line ${kind}" d="${along}" marker-end="url(#tip-${kind})"/>`,
    text(x + 14, y, name, 'verb'),
    ...words.map((line, at) => text(x + 14, y + 18 + at * 16, line, 'soft')),
  ]
}

/** What the undo's line leads to. */
const ending = (places: readonly number[]) =>
  places.length === 0
    ? []
    : [
        `<rect class="box recover" x="${right + 4}" y="${top - 46}" width="100" height="${box}" rx="13"/>`,
        text(right + 18, top - 29, undo.done, 'verb'),
        text(right + 112, top - 29, 'as it was before', 'soft'),
      ]

const marker = (id: string) =>
  `<marker id="${id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="5" markerHeight="5" orient="auto"><path class="${id}" d="M0 0 10 5 0 10z"/></marker>`
