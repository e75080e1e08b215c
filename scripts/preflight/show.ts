import type { Report } from './clusters.ts'
import type { Finding } from './finding.ts'

/** The reports for people: a line for each finding, and below it what to do. */
export function shown(reports: readonly Report[]): string {
  const clusters = reports.map(({ cluster, areas }) =>
    [cluster, ...areas.flatMap(({ title, findings }) => [`  ${title}`, ...findings.flatMap(linesOf)])].join('\n'),
  )
  return `${clusters.join('\n\n')}\n\n${summary(reports)}\n`
}

function linesOf({ state, says, todo }: Finding): string[] {
  const line = `    ${state.padEnd(12)}${says}`
  return todo === undefined ? [line] : [line, `${' '.repeat(16)}-> ${todo}`]
}

function summary(reports: readonly Report[]): string {
  const states = reports.flatMap(({ areas }) => areas.flatMap(({ findings }) => findings.map(({ state }) => state)))
  const count = (state: Finding['state']) => states.filter((one) => one === state).length
  const [lacks, advice, unknown] = [count('lacks'), count('advice'), count('cannot tell')]
  const first = lacks === 0 ? 'Nothing that Drover needs is lacking' : `${lacks} lacking`
  return [
    first,
    ...(advice > 0 ? [`${advice} advised`] : []),
    ...(unknown > 0 ? [`${unknown} not to be told`] : []),
  ].join(', ')
}
