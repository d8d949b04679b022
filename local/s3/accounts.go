package s3

import (
	"sync"

	"github.com/versity/versitygw/auth"
)

// accounts are the access keys beside the root pair. To the gateway each may do everything: what a caller may do is for
// the gate to say, which stands behind it. It implements the gateway's auth.IAMService.
type accounts struct {
	mu      sync.RWMutex
	secrets map[string]string
}

var _ auth.IAMService = (*accounts)(nil)

func (a *accounts) add(accessKey, secretKey string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.secrets == nil {
		a.secrets = map[string]string{}
	}
	a.secrets[accessKey] = secretKey
}

func (a *accounts) remove(accessKey string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.secrets, accessKey)
}

func admin(accessKey, secretKey string) auth.Account {
	return auth.Account{Access: accessKey, Secret: secretKey, Role: auth.RoleAdmin}
}

// GetUserAccount implements auth.IAMService.
func (a *accounts) GetUserAccount(accessKey string) (auth.Account, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	secretKey, ok := a.secrets[accessKey]
	if !ok {
		return auth.Account{}, auth.ErrNoSuchUser
	}
	return admin(accessKey, secretKey), nil
}

// ListUserAccounts implements auth.IAMService.
func (a *accounts) ListUserAccounts() ([]auth.Account, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var all []auth.Account
	for accessKey, secretKey := range a.secrets {
		all = append(all, admin(accessKey, secretKey))
	}
	return all, nil
}

// CreateAccount implements auth.IAMService.
func (a *accounts) CreateAccount(account auth.Account) error {
	a.add(account.Access, account.Secret)
	return nil
}

// UpdateUserAccount implements auth.IAMService: nothing of an account can change.
func (a *accounts) UpdateUserAccount(accessKey string, _ auth.MutableProps) error {
	_, err := a.GetUserAccount(accessKey)
	return err
}

// DeleteUserAccount implements auth.IAMService.
func (a *accounts) DeleteUserAccount(accessKey string) error {
	a.remove(accessKey)
	return nil
}

// Shutdown implements auth.IAMService.
func (a *accounts) Shutdown() error { return nil }
