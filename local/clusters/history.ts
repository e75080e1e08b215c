import { expired } from './api-error.ts'
import type { Kind } from './kinds.ts'
import type { KubeObject } from './object.ts'

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  kind: Kind
  object: KubeObject
  /** What it was before. A watch with a selector needs it: an object that no longer fits is gone, for that watch. */
  previous: KubeObject | undefined
  version: number
}

/** The latest changes of a cluster, so that a watch can go on where it was cut off; the older ones are forgotten. */
export class History {
  readonly #size: number
  #changes: Change[] = []
  #oldest: number

  constructor(size: number, version: number) {
    this.#size = size
    this.#oldest = version
  }

  add(change: Change): void {
    this.#changes.push(change)
    if (this.#changes.length < this.#size * 2) return
    this.#changes = this.#changes.slice(-this.#size)
    this.#oldest = (this.#changes[0]?.version ?? 1) - 1
  }

  /** What changed after a resourceVersion; throws 410 when that is longer ago than we remember. */
  since(version: number): Change[] {
    if (version < this.#oldest) throw expired(version, this.#oldest)
    let low = 0
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#changes[middle]?.version ?? 0) <= version) low = middle + 1
      else high = middle
    }
    return this.#changes.slice(low)
  }
}
