import type { FunctionName } from '../shared/lifecycles.ts'
import type { Wire } from '../shared/runtime/function.ts'

/** Where each function is wired; loaded when its first event comes, so a function starts without the others' libraries. */
const functions: Record<FunctionName, () => Promise<{ wire: Wire }>> = {
  validate: () => import('./validate/index.ts'),
  locate: () => import('./locate/index.ts'),
  allocate: () => import('./allocate/index.ts'),
  place: () => import('./place/index.ts'),
  register: () => import('./register/index.ts'),
  build: () => import('./build/index.ts'),
  commit: () => import('./commit/index.ts'),
  verify: () => import('./verify/index.ts'),
  notify: () => import('./notify/index.ts'),
  recover: () => import('./recover/index.ts'),
}

export const load = async (name: FunctionName): Promise<Wire> => (await functions[name]()).wire
