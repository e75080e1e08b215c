import { escaped, text } from '../scripts/docs/svg.ts'
import type { Result, Row } from './result.ts'

/**
 * A benchmark as a picture, in the manner of the other pictures: for each comparison a bar of Drover and one of its
 * reference, and a line at the limit.
 */

const [page, left, right, top, group] = [850, 250, 600, 78, 46] as const

const style = `
    .page { fill: #ffffff }
    .drover { fill: #1a7f37 }
    .missed { fill: #bc4c00 }
    .reference { fill: #8c959f }
    .limit { stroke: #1f2328; stroke-width: 1.4; stroke-dasharray: 4 3 }
    text { font-family: system-ui, -apple-system, "Segoe UI", "Liberation Sans", Helvetica, Arial, sans-serif; fill: #1f2328; font-size: 13px }
    .name { font-size: 16px; font-weight: 600 }
    .verb { font-weight: 600 }
    .soft { fill: #57606a; font-size: 12px }
    .end { text-anchor: end }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 }
      .drover { fill: #3fb950 }
      .missed { fill: #f0883e }
      .reference { fill: #6e7681 }
      .limit { stroke: #e6edf3 }
      text { fill: #e6edf3 }
      .soft { fill: #9da7b1 }
    }`

/** The judged rows of a result as SVG. */
export function chart(result: Result): string {
  const rows = result.rows.filter(({ held }) => held !== undefined)
  const height = top + rows.length * group + 42
  const { cores, model, node, git, date, commit, load } = result.machine
  const where = `${cores} x ${model}, Node ${node}, git ${git}, ${date.slice(0, 10)}, commit ${commit}, load ${load}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${page} ${height}" role="img" aria-labelledby="title about">
  <title id="title">${escaped(result.title)}</title>
  <desc id="about">${escaped(rows.map(sentence).join(' '))}</desc>
  <style>${style}
  </style>
  <rect class="page" width="${page}" height="${height}" rx="10"/>
  ${text(24, 30, result.title, 'name')}
  ${text(24, 50, `Beside: ${result.reference.replaceAll('`', '')}`, 'soft')}
  ${rows.flatMap((row, index) => bars(row, top + index * group)).join('\n  ')}
  ${text(24, height - 16, where, 'soft')}
</svg>
`
}

function bars(row: Row, y: number): string[] {
  const { is, unit, held, what, statistic } = row
  const most = limitOf(row)
  const widest = Math.max(is.drover, is.reference ?? 0, most) * 1.02
  const long = (value: number) => Math.max(2, ((right - left) * value) / widest).toFixed(1)
  const at = (left + Number(long(most))).toFixed(1)
  const reference =
    is.reference === undefined
      ? []
      : [
          `<rect class="reference" x="${left}" y="${y + 17}" width="${long(is.reference)}" height="12" rx="2"/>`,
          text(right + 12, y + 28, `${shown(is.reference)} ${unit}`, 'soft'),
        ]
  return [
    text(left - 12, y + 16, what || 'Drover', 'verb end'),
    text(left - 12, y + 32, statistic, 'soft end'),
    `<rect class="${held ? 'drover' : 'missed'}" x="${left}" y="${y + 3}" width="${long(is.drover)}" height="12" rx="2"/>`,
    text(right + 12, y + 14, `${shown(is.drover)} ${unit}, ${verdict(row)}`),
    ...reference,
    `<path class="limit" d="M${at} ${y}V${y + 32}"/>`,
  ]
}

/** The limit in the row's own unit. */
function limitOf({ limit, is }: Row): number {
  if (!limit) return 0
  return 'most' in limit ? limit.most : limit.times * (is.reference ?? 0)
}

const verdict = ({ limit, ratio, unit }: Row) =>
  limit && 'most' in limit ? `limit ${limit.most} ${unit}` : `${shown(ratio ?? 0)} x, limit ${limit?.times} x`

const sentence = (row: Row) =>
  `${row.what || 'Drover'}: ${shown(row.is.drover)} ${row.unit}${row.is.reference === undefined ? '' : ` beside ${shown(row.is.reference)}`}, ${verdict(row)}.`

/** Three digits that count. */
export const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(value < 0.1 ? 2 : 3)))
