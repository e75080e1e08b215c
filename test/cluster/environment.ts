import { join } from 'node:path'
import { environment, newSigningKey } from '../../shared/config.ts'
import type { FunctionName } from '../../shared/lifecycles.ts'
import type { ControlPlane } from './control-plane.ts'

/** A fleet on the real controllers: what its functions have to be told of it. */
export interface RealFleet {
  plane: ControlPlane
  git: { url: string; token: string }
  /** The fleet's address as Argo CD knows it. */
  repoUrl: string
  /** Where the functions keep their clones. */
  clones: string
  kubeconfigs: Record<FunctionName, string>
}

/** The environment of each function of a fleet on the real controllers, with one signing key for all of them. */
export function environmentsOn({ plane, git, repoUrl, clones, kubeconfigs }: RealFleet) {
  const keys = newSigningKey()
  const { PATH = '', HOME = '' } = environment()
  return (one: FunctionName): Record<string, string> => ({
    ...{ PATH, HOME },
    DROVER_BROKER_URL: brokerOf(plane),
    DROVER_SIGNING_KEYS: keys,
    DROVER_GIT_URL: git.url,
    DROVER_GIT_TOKEN: git.token,
    DROVER_GIT_DIRECTORY: join(clones, one),
    DROVER_ARGOCD_REPO_URL: repoUrl,
    DROVER_ARGOCD_PROJECT: 'drover',
    // No container is run: what its program says, the played node says.
    DROVER_PUSH_IMAGE: 'registry.example.com/drover:latest',
    DROVER_CALLBACK_ALLOW_PRIVATE: 'loopback',
    KUBECONFIG: kubeconfigs[one],
  })
}

export const brokerOf = (plane: ControlPlane): string => `${plane.ingress}/drover/default`
