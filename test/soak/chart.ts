import { shown } from '../../bench/chart.ts'
import { type Measure, measures, type Sample } from './samples.ts'

/** A measure as a picture: a line for each process over the time, with its name at the end. */

const [width, height, left, right, top, bottom] = [900, 420, 70, 720, 56, 380] as const

const colors = [
  '#0969da',
  '#1a7f37',
  '#bc4c00',
  '#8250df',
  '#cf222e',
  '#4d2d00',
  '#0550ae',
  '#116329',
  '#bf3989',
  '#57606a',
]

/** The samples of a measure as SVG. */
export function lines(measure: Measure, samples: readonly Sample[]): string {
  const { title, unit } = measures[measure]
  const own = samples.filter((sample) => sample.measure === measure)
  const names = [...new Set(own.map(({ of }) => of))].sort()
  const last = Math.max(1, ...own.map(({ at }) => at))
  const most = Math.max(1, ...own.map(({ value }) => value)) * 1.05
  const x = (at: number) => (left + ((right - left) * at) / last).toFixed(1)
  const y = (value: number) => (bottom - ((bottom - top) * value) / most).toFixed(1)
  const drawn = names.flatMap((name, index) => {
    const color = colors[index % colors.length] ?? 'black'
    const points = own.filter(({ of }) => of === name)
    const path = points.map(({ at, value }) => `${x(at)},${y(value)}`).join(' ')
    const at = top + 12 + index * 24
    const now = points.at(-1)?.value ?? 0
    return [
      `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`,
      `<text x="${right + 14}" y="${at}" fill="${color}">${name} ${shown(now)}</text>`,
    ]
  })
  const marks = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
    `<path d="M${left} ${y(most * part)}H${right}" stroke="#d0d7de"/>`,
    `<text x="${left - 8}" y="${y(most * part)}" text-anchor="end">${shown(most * part)}</text>`,
    `<text x="${x(last * part)}" y="${bottom + 20}" text-anchor="middle">${Math.round((last * part) / 6) / 10} min</text>`,
  ])
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
  <title id="title">${title}, in ${unit}</title>
  <rect width="${width}" height="${height}" fill="white"/>
  <g font-family="system-ui, sans-serif" font-size="12">
  <text x="${left}" y="30" font-size="16" font-weight="600">${title}, in ${unit}</text>
  ${[...marks, ...drawn].join('\n  ')}
  </g>
</svg>
`
}
