import type { LifecycleName } from '../../shared/lifecycles.ts'

/** What is asked for: lives of machines and of golden images. */

/** How a request ends on a day on which nothing fails. */
export type Expected = 'completed' | 'rolledback' | 'either'

export interface Wanted {
  lifecycle: LifecycleName
  data: object
  expected: Expected
  /** Posted a second time, at once or when its run has ended: that changes nothing. */
  again?: 'at once' | 'later'
}

export interface Asked extends Wanted {
  id: string
  /** The run that follows from it. */
  run: string
}

/** What one machine or one image goes through. The requests of a wave are posted at once, the next when they have ended. */
export interface Life<R extends Wanted = Asked> {
  name: string
  about: 'machine' | 'image'
  waves: R[][]
}

/** Who asks. */
export const source = '/prober'

/** Stands for the name of a machine that gets one only when it is made. */
export const unnamed = 'unnamed'

/** Machines of these namespaces crash when they are made; Jobs of those end badly. */
export const unlucky = 'unlucky'
export const frail = 'frail'
