import type { Went } from '../prober/probe.ts'

/** How many runs are to complete in a minute, of each that goes on at once: a tenth of what an idle machine does. */
const leastPerMinute = 1

/** What was not done: whoever does nothing stays as it is. */
export function workProblems(went: readonly Went[], minutes: number, atOnce: number): string[] {
  const all = went.flatMap(({ ended }) => ended)
  const completed = all.filter(({ terminal }) => terminal === 'completed').length
  const least = Math.ceil(minutes * atOnce * leastPerMinute)
  return [
    ...(completed < least ? [`only ${completed} runs have completed, wanted ${least} at least`] : []),
    ...all.flatMap(({ asked: { lifecycle, id, run }, terminal }) =>
      terminal === 'missing' || terminal === 'stranded' ? [`${lifecycle} ${id}, run ${run}: it is ${terminal}`] : [],
    ),
  ]
}
