import type { Extra, Machines, MachineView } from '../machines.ts'
import type { Definition } from '../schema/definition.ts'
import type { Facts } from '../step.ts'
import type { Assessment } from './assessment.ts'

/** What a round is to bring about: a definition as of a commit, and who wants it. */
export interface Aim {
  run: string
  definition: Definition
  revision: string | undefined
  facts: Facts
}

/** When a round is over. */
export interface Goal {
  /** What has to be seen beside the machine itself. */
  extras?: readonly Extra[]
  assess(view: MachineView, aim: Aim): Assessment
  /** Asks the cluster once more when the view shows the goal; what it answers counts. */
  confirm?(aim: Aim, machines: Machines, view: MachineView): Promise<Assessment>
}
