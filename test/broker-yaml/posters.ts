import { type FunctionName, functionNames, lifecycles, undo } from '../../shared/lifecycles.ts'

const waiting = [...lifecycles.flatMap(({ tasks }) => tasks), undo].filter(({ waits }) => waits)

/** The functions that post to the Broker by themselves: those that wait, and tell how far it is. All others only answer. */
export const posters: readonly FunctionName[] = functionNames.filter((name) => waiting.some(({ by }) => by === name))
