import type { Resolver } from './assess.ts'

/** What the tasks of `verify` wait by. */
export interface Settings {
  rootApplication: string
  /** How long an error that may pass must last until the run fails of it. */
  graceMilliseconds: number
  resolver: Resolver | undefined
}
