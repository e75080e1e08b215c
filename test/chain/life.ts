import { readFileSync } from 'node:fs'
import { type LifecycleName, makesImage } from '../../shared/lifecycles.ts'

/**
 * Every lifecycle in the order of a life: each is asked for the machine that `provision` makes, by its example. A snapshot is
 * of the disks of then, so what brings other ones, a resize or a repave, comes after what goes back to it.
 */
export const life: readonly LifecycleName[] = [
  'golden-image',
  'provision',
  'snapshot',
  'patch',
  'restore',
  'clone',
  'resize',
  'power',
  'migrate',
  'repave',
  'deprovision',
]

/** The request of `examples/` for a lifecycle: a CloudEvent. */
export const example = (name: LifecycleName): { id: string; type: string; data: object } =>
  JSON.parse(readFileSync(`examples/${name}.json`, 'utf8'))

/** A part of the sentence with which the example's run completes. */
export const aboutIn = (name: LifecycleName): string => (makesImage(name) ? 'golden/rhel9' : 'prod-shop-')
