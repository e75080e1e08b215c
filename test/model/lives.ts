import { scenario } from './scenarios.ts'

/** One run alone, of each lifecycle that the model's cluster can show. */
export const lives = [
  { name: 'provision', scenario: () => scenario(['provision', {}]) },
  { name: 'deprovision', scenario: () => scenario(['deprovision', { finalSnapshot: true }]) },
  { name: 'repave', scenario: () => scenario(['repave', { image: { dataSource: 'rhel10', namespace: 'golden' } }]) },
  { name: 'patch', scenario: () => scenario(['patch', {}]) },
  { name: 'snapshot', scenario: () => scenario(['snapshot', { snapshot: 'clean' }]) },
  { name: 'resize', scenario: () => scenario(['resize', { size: { cores: 2, memory: '4Gi' } }]) },
  { name: 'power', scenario: () => scenario(['power', { action: 'restart' }]) },
  { name: 'migrate', scenario: () => scenario(['migrate', {}]) },
]
