import { randomUUID } from 'node:crypto'
import type { FaultName, Faults } from './faults.ts'
import { kindsOn } from './kinds.ts'
import { checkKubevirt, usualKubevirt } from './kubevirt.ts'
import { type Loop, runLoop } from './loop.ts'
import { type KubeObject, keyOf, placeOf, timestamp } from './object.ts'
import type { Pace, Step } from './pace.ts'
import { type Saved, Store } from './store.ts'

interface Settings {
  name: string
  role: 'hub' | 'managed'
  /** Which KubeVirt it plays, such as 1.5. */
  kubevirt?: string | undefined
  faults: Faults
  pace: Pace
  history?: number | undefined
  saved?: Saved | undefined
  onError: (error: unknown) => void
}

/** One simulated cluster: its store, and what its controllers need to run on it. */
export class Cluster {
  readonly name: string
  readonly role: 'hub' | 'managed'
  readonly kubevirt: string
  readonly store: Store
  readonly pace: Pace
  readonly #faults: Faults
  readonly #onError: (error: unknown) => void
  readonly #closers: (() => void)[] = []
  readonly #events = new Map<string, string>()

  constructor({ name, role, kubevirt = usualKubevirt, faults, pace, history, saved, onError }: Settings) {
    this.name = name
    this.role = role
    checkKubevirt(kubevirt)
    this.kubevirt = kubevirt
    this.pace = pace
    this.#faults = faults
    this.#onError = onError
    this.store = new Store({ kinds: kindsOn(role), saved, ...(history !== undefined && { history }) })
  }

  hasFault(fault: FaultName, object: KubeObject): boolean {
    return this.#faults.has(fault, this.name, object)
  }

  /**
   * Runs a controller of one kind: it is called with each object that is there, changes, or is woken, and with
   * undefined for one that is gone. `related` names the keys to look at when an object of another kind changes.
   */
  control<T extends KubeObject>(
    kind: string,
    reconcile: (object: T, loop: Waker) => void | Promise<void>,
    related: Record<string, (object: KubeObject) => Iterable<string>> = {},
  ): Loop {
    const loop = runLoop((key) => {
      const { namespace, name } = placeOf(key)
      const object = this.store.get<T>(kind, namespace, name)
      return (
        object &&
        reconcile(object, {
          over: (step) => this.pace.over(step, object, (after) => loop.wake(key, after)),
          again: (after) => loop.wake(key, after),
        })
      )
    }, this.#onError)
    const wakeAll = () => {
      for (const object of this.store.list(kind)) loop.wake(keyOf(object))
    }
    const stop = this.store.subscribe(({ kind: changed, object }) => {
      if (changed.kind === kind) loop.wake(keyOf(object))
      for (const key of related[changed.kind]?.(object) ?? []) loop.wake(key)
    })
    this.onClose(stop, this.#faults.onChange(wakeAll), loop.close)
    wakeAll()
    return loop
  }

  /** Says something about an object, as `kubectl describe` shows it; the same again only counts up. */
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { apiVersion, kind, metadata } = about
    const namespace = metadata.namespace ?? 'default'
    const involvedObject = { apiVersion, kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid }
    const known = this.#events.get(`${metadata.uid}/${reason}/${message}`)
    const before = known && this.store.get('Event', namespace, known)
    if (before) {
      this.store.update({ ...before, count: Number(before['count']) + 1, lastTimestamp: timestamp() })
      return
    }
    const name = `${metadata.name}.${randomUUID().replaceAll('-', '').slice(0, 16)}`
    this.#events.set(`${metadata.uid}/${reason}/${message}`, name)
    const times = {
      firstTimestamp: timestamp(),
      lastTimestamp: timestamp(),
      count: 1,
      source: { component: 'simulated' },
    }
    if (
      !this.store.get('Namespace', '', namespace) ||
      this.store.get('Namespace', '', namespace)?.metadata.deletionTimestamp
    )
      return
    this.store.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject,
      type,
      reason,
      message,
      ...times,
    })
  }
  onClose(...closers: (() => void)[]): void {
    this.#closers.push(...closers)
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close()
  }
}

/** What a controller may ask for while it looks at an object. */
export interface Waker {
  /** Whether a step of this object is over; if not, the controller is called again when it is. */
  over(step: Step): boolean
  again(after: number): void
}
